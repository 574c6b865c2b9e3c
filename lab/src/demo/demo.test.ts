import { codeBlocks, read } from '@acme/dev/check';
import { root } from '@acme/dev/repository';
import { runCommand, startCommand } from '@acme/test/commands/command';
import { expect, test } from 'vitest';

/** Returns the report from its line `placed` on, with every figure replaced by N. */
function reportIn(text: string): string | undefined {
  return /^placed [\s\S]*/m.exec(text)?.[0].replaceAll(/ +(-|[\d.]+)(?= |$)/gm, ' N');
}

test('npm run demo takes orders while inventory is down, and loses and oversells nothing', async () => {
  const { code, stdout, stderr } = await runCommand('demo', '--seconds', '5');
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('inventory killed');
  expect(stdout).toMatch(/^pending +0 +[1-9]\d* at the peak$/m);
  expect(stdout).toMatch(/^confirmed +[1-9]/m);
  for (const name of ['lost', 'oversold', 'unsettled'])
    expect(stdout).toMatch(new RegExp(`^${name} +0 `, 'm'));
  const quoted = codeBlocks(read(root, 'README.md')).map(({ code }) => reportIn(code));
  expect(quoted).toContain(reportIn(stdout));
}, 60_000);

test('npm run demo exits on Ctrl-C', async () => {
  await using demo = startCommand('demo');
  await demo.printed('Saturday night');
  demo.child.kill('SIGINT');
  expect(await demo.ended()).toMatchObject({ code: 130, stderr: '' });
}, 60_000);

test.each([
  [['--seconds', '4'], '--seconds must be an integer from 5 to 600, not "4"'],
  [['--rate', 'many'], '--rate must be an integer from 1 to 500, not "many"'],
  [['--stock'], 'unknown option --stock: npm run demo -- --help lists the options'],
])('npm run demo rejects invalid options: %s', async (options, stderr) => {
  expect(await runCommand('demo', ...options)).toMatchObject({ code: 2, stderr: `${stderr}\n` });
});
