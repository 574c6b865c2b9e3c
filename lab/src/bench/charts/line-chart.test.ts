import { expect, test } from 'vitest';
import { drawLineChart, type Series } from './line-chart.ts';
import { composePicture, textPart } from './picture.ts';

const draw = (...series: Series[]) =>
  drawLineChart({
    title: 'Orders a second',
    widthPx: 400,
    heightPx: 300,
    x: { name: 'callers', values: [1, 16, 256] },
    series,
  });
const line = (name: string, top: number): Series => ({
  name,
  points: [
    [1, 0],
    [16, top / 3],
    [256, top],
  ],
});

test('a chart names its series and axes on a white background, without hover styles', () => {
  const svg = draw(line('placed', 12_000), line('confirmed', 9000));
  for (const text of ['Orders a second', 'callers', 'placed', 'confirmed', '256', '12,000'])
    expect(svg).toContain(`>${text}</text>`);
  expect(svg).toMatch(/<rect width="400" height="300"[^>]* fill="#ffffff">/);
  expect(svg.match(/stroke-linejoin="bevel"/g)).toHaveLength(2);
  expect(svg).not.toMatch(/<style|animate|pointer|clip-path/);
});

test('coordinates have one decimal', () => {
  expect(draw(line('placed', 10))).not.toMatch(/"[^"]*\d\.\d\d/);
});

test('a picture contains its parts at their positions, with escaped text', () => {
  const svg = composePicture({ widthPx: 500, heightPx: 400 }, [
    { leftPx: 10, topPx: 20, svg: draw(line('placed', 10)) },
    { leftPx: 5, topPx: 2, svg: textPart('1 < 2 & 3', { fontPx: 12 }) },
  ]);
  expect(svg).toContain('<svg x="10" y="20" overflow="visible" width="400" height="300">');
  expect(svg).toContain('>1 &lt; 2 &amp; 3</text>');
});
