/**
 * Removes from an SVG of ECharts the parts that a picture in a document does not need: styles and attributes for the
 * pointer, invisible paths, and digits of coordinates below a tenth of a pixel.
 */
export function compactSvg(svg: string): string {
  return (
    svg
      .replaceAll(/<(style|defs) ?>.*?<\/\1>/gs, '')
      .replaceAll(/ (?:class|clip-path|pointer-events|ecmeta_\w+|xml:space)="[^"]*"/g, '')
      .replaceAll(/<path[^>]* fill-opacity="0"[^>]*><\/path>/g, '')
      // Paths with neither fill nor stroke.
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
