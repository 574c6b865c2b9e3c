import type { MethodInfo } from '../call/call-context.ts';
import { defaultMemoryBudgetBytes } from '../limits/memory-budget.ts';
import { defaultMaxMessageBytes } from '../limits/server-limits.ts';

/** Limits of the messages of a server. A client has options of the same names. */
export interface MessageLimitOptions {
  /** Maximum size of a request message, decompressed. Default: 1 MiB. A policy in code can lower it for a method. */
  readonly maxRequestBytes?: number;
  /** Maximum size of a response message. Default: 1 MiB. */
  readonly maxResponseBytes?: number;
  /**
   * Maximum number of bytes that all calls hold together. Default: 32 MiB. Above it, calls are evicted. It must hold four
   * of the largest messages.
   */
  readonly memoryBudgetBytes?: number;
}

/** Number of messages of the maximum size that the memory budget must hold, so that a few callers do not evict each other. */
const minMessages = 4;

/**
 * Returns the limits of a server, with the defaults.
 *
 * @throws Error for a limit that is not a whole number over 0, and for messages that the memory budget cannot hold.
 */
export function resolveMessageLimits({
  maxRequestBytes = defaultMaxMessageBytes,
  maxResponseBytes = defaultMaxMessageBytes,
  memoryBudgetBytes = defaultMemoryBudgetBytes,
}: MessageLimitOptions): Required<MessageLimitOptions> {
  for (const [name, sizeBytes] of Object.entries({ memoryBudgetBytes, maxRequestBytes, maxResponseBytes }))
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0)
      throw new Error(`${name} must be a whole number over 0`);
  for (const [name, sizeBytes] of Object.entries({ maxRequestBytes, maxResponseBytes }))
    if (sizeBytes * minMessages > memoryBudgetBytes)
      throw new Error(
        `${name} is ${sizeBytes}, and the memory budget of ${memoryBudgetBytes} bytes must hold ${minMessages} such messages: lower it, or raise memoryBudgetBytes to ${sizeBytes * minMessages}`,
      );
  return { maxRequestBytes, maxResponseBytes, memoryBudgetBytes };
}

/** @throws Error for a method whose policy permits larger requests than the server, because they would be rejected. */
export function requireRequestLimit(
  { name, policy }: Pick<MethodInfo, 'name' | 'policy'>,
  maxRequestBytes: number,
): void {
  if (policy.maxRequestBytes !== undefined && policy.maxRequestBytes > maxRequestBytes)
    throw new Error(
      `${name}: the maxRequestBytes of its policy, ${policy.maxRequestBytes}, is over the server's, ${maxRequestBytes}`,
    );
}
