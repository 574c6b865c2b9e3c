import { expect, test } from 'vitest';
import { drawLineChart, type Series } from './line-chart.ts';
import { composePicture, textPart } from './picture.ts';

const axis = { label: (value: number) => `${value} of them` };
const draw = (series: readonly Series[]) =>
  drawLineChart({ title: 'Orders', widthPx: 400, heightPx: 300, x: axis, y: { ...axis, min: 0 }, series });
const line = (name: string, top: number): Series => ({
  name,
  points: [
    [0, 0],
    [1, top / 3],
    [2, top],
  ],
});
/** The lines themselves: what is drawn with round joints. */
const linesIn = (svg: string) => svg.match(/<path d="[^"]*"[^>]*stroke-linejoin="bevel"[^>]*>/g) ?? [];

test('ensure a chart says what it shows, on white, and nothing in it moves or asks for a pointer', () => {
  const svg = draw([line('placed', 12), line('confirmed', 9)]);
  for (const text of ['Orders', 'placed', 'confirmed', '12 of them'])
    expect(svg).toContain(`>${text}</text>`);
  expect(svg).toMatch(/<rect width="400" height="300"[^>]* fill="#ffffff">/);
  expect(linesIn(svg)).toHaveLength(2);
  expect(svg).not.toMatch(/<style|animate|pointer|clip-path/);
});

test('ensure coordinates have no digits that nobody sees', () => {
  expect(draw([line('placed', 10)])).not.toMatch(/"[^"]*\d\.\d\d/);
});

test('ensure a line has a gap where there is no value, and a dot where it would be nothing but gaps', () => {
  const points = [
    [0, 1],
    [1, 2],
    [2, null],
    [3, 4],
    [4, null],
    [5, 3],
    [6, 1],
  ] as const;
  const svg = draw([{ name: 'placed', points }]);
  const [path = ''] = linesIn(svg);
  expect(path.match(/M[\d. ]+L/g)).toHaveLength(2);
  expect(svg.match(/ transform="matrix/g)).toHaveLength(1);
});

test('ensure a legend that would take all the room names the highest lines, and how many there are', () => {
  const svg = draw(Array.from({ length: 90 }, (_, index) => line(`statement number ${index}`, index)));
  expect(linesIn(svg)).toHaveLength(90);
  const named = [...svg.matchAll(/>statement number (\d+)</g)].map(([, number]) => Number(number));
  expect(svg).toContain(`(named: the ${named.length} highest of 90)`);
  expect(named).toEqual(Array.from({ length: named.length }, (_, index) => 90 - named.length + index));
});

test('ensure a picture puts its parts where they belong, and takes text for text', () => {
  const parts = [
    { leftPx: 10, topPx: 20, svg: draw([line('placed', 10)]) },
    { leftPx: 5, topPx: 2, svg: textPart('1 < 2 & 3', { fontPx: 12 }) },
  ];
  const svg = composePicture({ widthPx: 500, heightPx: 400 }, parts);
  expect(svg).toContain('<svg x="10" y="20" overflow="visible" width="400" height="300">');
  expect(svg).toContain('>1 &lt; 2 &amp; 3</text>');
});
