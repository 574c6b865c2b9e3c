/** Default retention of requests and of ended reservations, in ms. */
const retentionMs = 30 * 24 * 60 * 60 * 1000;

/** Retentions of both services. */
export const retentions = {
  eventRetentionMs: retentionMs,
  requestIdRetentionMs: retentionMs,
  reservationRetentionMs: retentionMs,
};
