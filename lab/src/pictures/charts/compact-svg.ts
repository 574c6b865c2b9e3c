/**
 * Takes off an SVG of ECharts's what a picture in a document has no use for: what is there for a pointer, what is not
 * seen, and digits of coordinates. A tenth of a pixel stays.
 */
export function compactSvg(svg: string): string {
  return (
    svg
      .replaceAll(/<(style|defs) ?>.*?<\/\1>/gs, '')
      .replaceAll(/ (?:class|clip-path|pointer-events|ecmeta_\w+|xml:space)="[^"]*"/g, '')
      .replaceAll(/<path[^>]* fill-opacity="0"[^>]*><\/path>/g, '')
      // White behind the names of a legend, which are on white anyway.
      .replaceAll(/<path[^>]* fill="#ffffff"><\/path>/g, '')
      // What draws nothing, because it has neither ground nor line.
      .replaceAll(/<path(?![^>]* stroke="#)[^>]* fill="none"[^>]*><\/path>/g, '')
      .replaceAll(' text-anchor="start"', '')
      .replaceAll('font-family:sans-serif;', '')
      .replace('<svg ', '<svg font-family="sans-serif" ')
      .replaceAll(/ (d|points|x|y|transform|width|height)="([^"]*)"/g, (_all, name, value: string) => {
        const rounded = value.replaceAll(/-?\d*\.\d+/g, (number) =>
          String(Number(Number(number).toFixed(1))),
        );
        return ` ${name}="${rounded}"`;
      })
      .replaceAll(/<\/?g>/g, '')
      .replaceAll(/\n+/g, '\n')
  );
}
