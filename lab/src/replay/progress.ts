const width = 40;

/** Shows progress: a bar on a terminal, ten lines elsewhere. The returned function takes the number of finished items. */
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
