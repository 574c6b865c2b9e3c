import type { Environment } from '@acme/rpc/config';
import { expect, test } from 'vitest';
import { settingsTable } from './settings-document.ts';

const meaning = 'What it sets.';
const head = '| variable | value | default | meaning | read by |\n|---|---|---|---|---|\n';
const port = (environment: Environment) =>
  environment.integer('PORT', { min: 1, max: 9, default: 5, meaning });

test('a variable is one row for all that declare it alike', () => {
  const readers = new Map([
    ['inventory', port],
    ['orders', port],
  ]);
  expect(settingsTable(readers)).toBe(
    `${head}| \`PORT\` | a whole number from 1 to 9 | \`5\` | What it sets. | inventory, orders |\n`,
  );
});

test('a variable is a row for each reader that declares it differently', () => {
  const other = (environment: Environment) =>
    environment.integer('PORT', { min: 1, max: 9, default: 6, meaning });
  const table = settingsTable(
    new Map([
      ['inventory', port],
      ['orders', other],
    ]),
  );
  expect(table).toContain('`5` | What it sets. | inventory |');
  expect(table).toContain('`6` | What it sets. | orders |');
});

test('a variable that is read only with a value of another names that value', () => {
  const read = (environment: Environment) => {
    const mode = environment.oneOf('MODE', { choices: ['off', 'on'], default: 'off', meaning });
    if (mode === 'on') environment.text('FILE', { format: 'a file', meaning });
    const name = { format: 'a | b', meaning };
    if (mode === 'on') environment.optionalText('NAME', name);
    else environment.text('NAME', name);
    environment.check();
  };
  expect(settingsTable(new Map([['orders', read]]))).toBe(
    `${head}| \`MODE\` | \`off\`, \`on\` | \`off\` | What it sets. | orders |
| \`FILE\` | a file | required with \`MODE=on\` | What it sets. | orders |
| \`NAME\` | a \\| b | required, except with \`MODE=on\` | What it sets. | orders |
`,
  );
});
