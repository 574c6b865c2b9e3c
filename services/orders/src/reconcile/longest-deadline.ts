/** Options of calls of the command: the longest deadlines that inventory permits. Right after a failover it is slow. */
export const longestDeadline = { deadlineMs: Number.POSITIVE_INFINITY };
