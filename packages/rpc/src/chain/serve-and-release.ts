import type { Handler, ServerCall } from '../call/handler.ts';

/**
 * Serves the call. Calls `release` once, when the chain below has ended or the call is aborted, whichever comes first: a
 * handler that ignores its signal must not occupy its place after the deadline.
 */
export async function serveAndRelease(
  next: Handler,
  call: ServerCall,
  release: (ok: boolean) => void,
): Promise<void> {
  let isReleased = false;
  const releaseOnce = (ok: boolean) => {
    if (isReleased) return;
    isReleased = true;
    release(ok);
  };
  call.onAbort(() => releaseOnce(false));
  try {
    await next(call);
    releaseOnce(true);
  } finally {
    releaseOnce(false);
  }
}
