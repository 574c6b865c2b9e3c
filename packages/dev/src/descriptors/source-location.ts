import type { AnyDesc, DescFile } from '@bufbuild/protobuf';
import type { Element } from './element.ts';

type Located = Exclude<AnyDesc, DescFile>;

/** Number of the field `options` in the descriptors of each kind of element (descriptor.proto). */
const optionsNumbers = { rpc: 4, message: 7, field: 8, extension: 8, oneof: 2 };

/**
 * Returns the line of an option in the file of its element, or of the closest part of the contract that has one: the
 * whole option, or the element. `path` is the option's field numbers.
 */
export function sourceLine(element: Element, path: readonly number[]): number {
  const wanted = [...pathOf(element), optionsNumbers[element.kind], ...path];
  let [line, depth] = [1, 0];
  for (const { path: located, span } of fileOf(element).proto.sourceCodeInfo?.location ?? []) {
    const shared = Math.min(located.length, wanted.length);
    const isPart = located.slice(0, shared).every((number, index) => number === wanted[index]);
    if (isPart && shared > depth) [line, depth] = [(span[0] ?? 0) + 1, shared];
  }
  return line;
}

/** Returns the comment above a part of the contract, without the marks of a comment. Empty if there is none. */
export function commentOf(desc: Located): string {
  const wanted = pathOf(desc).join();
  const locations = fileOf(desc).proto.sourceCodeInfo?.location ?? [];
  const comment = locations.find(({ path }) => path.join() === wanted)?.leadingComments ?? '';
  return comment
    .split('\n')
    .map((line) => line.replace(/^ /, '').trimEnd())
    .join('\n')
    .trim();
}

function fileOf(desc: Located): DescFile {
  return 'file' in desc ? desc.file : desc.parent.file;
}

/** Returns the path of a part of the contract in its file, as SourceCodeInfo has it (descriptor.proto). */
function pathOf(desc: Located): number[] {
  switch (desc.kind) {
    case 'message':
      return desc.parent
        ? [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)]
        : [4, desc.file.proto.messageType.indexOf(desc.proto)];
    case 'enum':
      return desc.parent
        ? [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)]
        : [5, desc.file.proto.enumType.indexOf(desc.proto)];
    case 'extension':
      return desc.parent
        ? [...pathOf(desc.parent), 6, desc.parent.proto.extension.indexOf(desc.proto)]
        : [7, desc.file.proto.extension.indexOf(desc.proto)];
    case 'service':
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case 'enum_value':
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    case 'field':
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case 'oneof':
      return [...pathOf(desc.parent), 8, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
    case 'rpc':
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)];
  }
}
