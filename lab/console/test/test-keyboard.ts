import type { Checks } from '@acme/lab/browser/checks';
import type { ConsolePage } from './console-page.ts';

/** Controls of the overview that the tab key has to reach, the first and the last one among them. */
const stops = [
  'a:Saturday',
  'a:overview',
  'button:Dark theme',
  'input:range',
  'input:checkbox',
  'button:Place one order',
  'input:radio',
  'button:Kill inventory',
  'button:Kill PostgreSQL',
];
const maxPresses = 300;

/** Every control is reached and used by the keyboard, and the focus is visible. */
export async function testKeyboard({ page, ...tools }: ConsolePage, check: Checks['check']): Promise<void> {
  await tools.open('#/overview');
  await page.focus('h1 a');
  await page.keyboard.press('Tab');
  await page.keyboard.down('Shift');
  await page.keyboard.press('Tab');
  await page.keyboard.up('Shift');
  const reached: string[] = [];
  const hidden: string[] = [];
  for (let press = 0; press < maxPresses; press++) {
    const [name, isVisible] = (await page.evaluate(focused)) as [string, boolean];
    reached.push(name);
    if (!isVisible) hidden.push(name);
    // The next stop is the browser's own window.
    if (name === stops.at(-1)) break;
    await page.keyboard.press('Tab');
  }
  const missed = stops.filter((stop) => !reached.includes(stop));
  check('the tab key reaches every control', missed.length === 0, { missed, reached: reached.length });
  check('the focus is visible', hidden.length === 0, hidden);

  await page.focus('#tab-overview');
  await page.keyboard.press('ArrowRight');
  await tools.untilShown('.signals');
  check(
    'an arrow key selects the next tab',
    (await page.evaluate('document.activeElement.id')) === 'tab-signals',
  );
  await page.keyboard.press('ArrowLeft');
  await tools.untilShown('.overview');

  await page.focus('.order-list tbody a');
  await page.keyboard.press('Enter');
  await tools.untilShown('.timeline');
  check('Enter opens the order of a row', true);
  await tools.back();
  await tools.untilShown('.overview');

  await page.focus('#rate');
  await page.keyboard.press('ArrowRight');
  await tools.untilText('.wanted', (text) => text === '1');
  await page.keyboard.press('Home');
  await tools.untilText('.wanted', (text) => text === '0');
  check('arrow keys move the slider', true);

  await page.focus('button[aria-label="Dark theme"]');
  await page.keyboard.press('Enter');
  await tools.untilShown('html[data-theme="dark"]');
  await page.keyboard.press('Enter');
  await tools.untilShown('html[data-theme="light"]');
  check('a key switches the theme', true);
}

/** An expression: the focused element, and whether it has a visible mark of the focus. */
const focused = `(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return ['', true];
  const marked = element.type === 'radio' ? element.nextElementSibling : element;
  const name = element.getAttribute('aria-label') ?? (element.localName === 'input' ? element.type : element.textContent.trim());
  return [element.localName + ':' + name, getComputedStyle(marked).outlineStyle !== 'none'];
})()`;
