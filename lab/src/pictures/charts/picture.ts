export interface Part {
  readonly leftPx: number;
  readonly topPx: number;
  /** An SVG, or what may stand in one. */
  readonly svg: string;
}

export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Parts put together to one SVG, on a white ground: a dark page would swallow the writing. */
export function composePicture({ widthPx, heightPx }: PictureSize, parts: readonly Part[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}">
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.map(({ leftPx, topPx, svg }) => `<svg x="${leftPx}" y="${topPx}" overflow="visible"${withoutHead(svg)}`).join('\n')}
</svg>
`;
}

/** A line of text, its left end at half of its height. */
export function textPart(text: string, style: TextStyle): string {
  const { fontPx, isBold = false, colour = '#24292f' } = style;
  return `<svg><text y="${fontPx / 2}" dominant-baseline="central" font-size="${fontPx}"${isBold ? ' font-weight="bold"' : ''} fill="${colour}">${escaped(text)}</text></svg>`;
}

export interface TextStyle {
  readonly fontPx: number;
  readonly isBold?: boolean;
  readonly colour?: string;
}

/** The SVG after its `<svg`, with its size and without what only a document's outermost one needs. */
function withoutHead(svg: string): string {
  const end = svg.indexOf('>');
  const size = svg.slice(0, end).match(/ (?:width|height)="[^"]*"/g) ?? [];
  return `${size.join('')}${svg.slice(end)}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
