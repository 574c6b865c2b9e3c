/** Runs 64 callers of GetStock in a closed loop and sends the parent their number and the calls per second. */
export async function runCallers(call: () => Promise<{ sku: string } | undefined>): Promise<void> {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ seconds }: { seconds: number }) => {
    const startMs = performance.now();
    const elapsed = () => (performance.now() - startMs) / 1000;
    let calls = 0;
    const work = async () => {
      while (elapsed() < seconds) {
        if ((await call())?.sku !== 'SAT-0001') throw new Error('the response is for another SKU');
        calls += 1;
      }
    };
    await Promise.all(Array.from({ length: 64 }, work));
    process.send?.({ count: calls, perSecond: calls / elapsed() });
  });
  process.send?.({ port: 0 });
}
