export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** An SVG or SVG element and its position in the picture. */
export interface Part {
  readonly leftPx: number;
  readonly topPx: number;
  readonly svg: string;
}

/** Composes parts into one SVG. A white background keeps the text readable on a dark page. */
export function composePicture({ widthPx, heightPx }: PictureSize, parts: readonly Part[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}">
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.map(({ leftPx, topPx, svg }) => `<svg x="${leftPx}" y="${topPx}" overflow="visible"${withoutHead(svg)}`).join('\n')}
</svg>
`;
}

export interface TextStyle {
  readonly fontPx: number;
  readonly isBold?: boolean;
  readonly colour?: string;
}

/** Returns a text element, anchored at the middle of its left edge. */
export function textPart(text: string, { fontPx, isBold = false, colour = '#24292f' }: TextStyle): string {
  return `<svg><text y="${fontPx / 2}" dominant-baseline="central" font-size="${fontPx}"${isBold ? ' font-weight="bold"' : ''} fill="${colour}">${escaped(text)}</text></svg>`;
}

/** Returns the SVG from after its `<svg`, without the attributes that only an outermost SVG needs. */
function withoutHead(svg: string): string {
  const end = svg.indexOf('>');
  const size = svg.slice(0, end).match(/ (?:width|height)="[^"]*"/g) ?? [];
  return `${size.join('')}${svg.slice(end)}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
