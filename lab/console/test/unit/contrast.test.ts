import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Contrast that WCAG 2.2 requires of text (1.4.3, AA), and of marks and lines (1.4.11). */
const textRatio = 4.5;
const markRatio = 3;

const texts = ['text', 'text-quiet', 'accent', 'good', 'waiting', 'bad', 'rejected', 'cancelled'];
const serviceNames = ['service-orders', 'service-inventory', 'service-other'];
const marks = [
  'field-pending',
  'field-rejected',
  'field-cancelled',
  'latency-50',
  'latency-95',
  'latency-99',
  'code-1',
];

type Theme = 'light' | 'dark';
const colours = readColours();

/** Returns the colours of each token, as `#rrggbb`. */
function readColours(): ReadonlyMap<string, Readonly<Record<Theme, string>>> {
  const css = readFileSync(new URL('../../page/style/tokens.css', import.meta.url), 'utf8');
  const tokens = css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g);
  return new Map([...tokens].map(([, name = '', light = '', dark = '']) => [name, { light, dark }]));
}

function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const required = [
  ...[...texts, ...serviceNames].flatMap((token) => [
    { token, ground: 'ground', ratio: textRatio },
    { token, ground: 'raised', ratio: textRatio },
  ]),
  ...marks.map((token) => ({ token, ground: 'ground', ratio: markRatio })),
];

test.each(required)(
  '$token has a contrast of $ratio on $ground in both themes',
  ({ token, ground, ratio }) => {
    for (const theme of ['light', 'dark'] as const)
      expect(contrast(colours.get(token)?.[theme] ?? '', colours.get(ground)?.[theme] ?? '')).toBeGreaterThan(
        ratio,
      );
  },
);

test('white is readable on the ground of a violation in both themes', () => {
  for (const theme of ['light', 'dark'] as const)
    expect(contrast('#ffffff', colours.get('bad-ground')?.[theme] ?? '')).toBeGreaterThan(textRatio);
});
