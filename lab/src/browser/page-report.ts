/** The service that the page calls, in the fragment of its URL. */
export interface PageTask {
  readonly ordersUrl: string;
  readonly token: string;
}

/** The calls of a page, as it posts them to its server: one report by Connect, one by gRPC-Web. */
export interface PageReport {
  /** Fields of the BadRequest of an invalid order. */
  readonly violations: readonly string[];
  readonly orderId: string;
  /** Number of watched changes of the order. */
  readonly watchedStates: number;
  /** Whether ListOrders, called by GET over Connect, has the order. */
  readonly isListed: boolean;
  /** The error that ended the page's calls. Empty if none did. */
  readonly error: string;
}
