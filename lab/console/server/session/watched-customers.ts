/** The customers of the load. They are few, because a watch is of one customer. */
export const loadCustomers = ['saturday-1', 'saturday-2'];

/** The customers whose orders the page watches: those of the load, and the caller of the examples that `npm start` prints. */
export const watchedCustomers = [...loadCustomers, 'alice'];
