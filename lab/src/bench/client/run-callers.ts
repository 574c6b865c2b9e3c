/** 64 callers of GetStock, each with its next call as soon as the last one is over: calls a second, to the parent. */
export async function runCallers(call: () => Promise<{ sku: string } | undefined>): Promise<void> {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ seconds }: { seconds: number }) => {
    const startMs = performance.now();
    const elapsed = () => (performance.now() - startMs) / 1000;
    let calls = 0;
    const work = async () => {
      while (elapsed() < seconds) {
        if ((await call())?.sku !== 'SAT-0001') throw new Error('the answer is not the one asked for');
        calls += 1;
      }
    };
    await Promise.all(Array.from({ length: 64 }, work));
    process.send?.({ perSecond: calls / elapsed() });
  });
  process.send?.({ port: 0 });
}
