const width = 40;

/** Shows how far something has come: a bar on a terminal, ten lines elsewhere. Call it with what is done. */
export function createProgress(total: number): (done: number) => void {
  let shownTenths = -1;
  return (done) => {
    if (process.stdout.isTTY) {
      const filled = Math.round((done / total) * width);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
      process.stdout.write(`\r${bar} ${done}/${total}${done === total ? '\n' : ''}`);
      return;
    }
    const tenths = Math.floor((done / total) * 10);
    if (tenths === shownTenths) return;
    shownTenths = tenths;
    process.stdout.write(`${done}/${total}\n`);
  };
}
