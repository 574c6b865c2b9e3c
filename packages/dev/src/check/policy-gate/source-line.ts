import type { Element } from './element.ts';

/** Number of the field `options` in the descriptors of each kind of element (descriptor.proto). */
const optionsNumbers = { rpc: 4, message: 7, field: 8, extension: 8, oneof: 2 };

/**
 * Returns the line of an option in the file of its element, or of the closest part of the contract that has one: the
 * whole option, or the element. `path` is the option's field numbers.
 */
export function sourceLine(element: Element, path: readonly number[]): number {
  const { proto } = (element.kind === 'message' || element.kind === 'extension' ? element : element.parent)
    .file;
  const wanted = [...pathOf(element), optionsNumbers[element.kind], ...path];
  let [line, depth] = [1, 0];
  for (const { path: located, span } of proto.sourceCodeInfo?.location ?? []) {
    const shared = Math.min(located.length, wanted.length);
    const isPart = located.slice(0, shared).every((number, index) => number === wanted[index]);
    if (isPart && shared > depth) [line, depth] = [(span[0] ?? 0) + 1, shared];
  }
  return line;
}

/** Returns the path of an element in its file, as SourceCodeInfo has it. */
function pathOf(element: Element): number[] {
  switch (element.kind) {
    case 'message':
      return element.parent
        ? [...pathOf(element.parent), 3, element.parent.proto.nestedType.indexOf(element.proto)]
        : [4, element.file.proto.messageType.indexOf(element.proto)];
    case 'field':
      return [...pathOf(element.parent), 2, element.parent.proto.field.indexOf(element.proto)];
    case 'oneof':
      return [...pathOf(element.parent), 8, element.parent.proto.oneofDecl.indexOf(element.proto)];
    case 'extension':
      return element.parent
        ? [...pathOf(element.parent), 6, element.parent.proto.extension.indexOf(element.proto)]
        : [7, element.file.proto.extension.indexOf(element.proto)];
    case 'rpc': {
      const service = element.parent.file.proto.service.indexOf(element.parent.proto);
      return [6, service, 2, element.parent.proto.method.indexOf(element.proto)];
    }
  }
}
