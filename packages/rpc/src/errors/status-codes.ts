import { status } from '@grpc/grpc-js';

type CodeSet = ReadonlySet<status>;

/**
 * Codes that are the server's fault: OpenTelemetry's semantic conventions for gRPC 1.45 mark a server span with one of
 * them as an error.
 */
export const serverFaultCodes: CodeSet = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/**
 * Codes of a server that could not answer, or not in time. The same call may succeed later (AIP-194 for UNAVAILABLE). They
 * do not say whether this one took effect.
 */
export const transientCodes: CodeSet = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);

/** Server faults that time does not cure: a defect that an operator has to look at. */
export const defectCodes: CodeSet = serverFaultCodes.difference(transientCodes);

/**
 * Server faults that another replica may not have (the idea of gRFC A50, which leaves the codes open). UNIMPLEMENTED is
 * none: it is an answer of the version that is deployed, not of a broken replica.
 */
export const replicaFaultCodes: CodeSet = serverFaultCodes.difference(new Set([status.UNIMPLEMENTED]));

/** Returns whether a code is a number other than OK, which a failed call must not have. */
export function isErrorCode(code: status): boolean {
  return Number.isInteger(code) && code > status.OK;
}
