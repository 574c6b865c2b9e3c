import { isSeq } from 'yaml';
import { editYaml } from '../repository/edit-yaml.ts';

/**
 * Returns the text of a YAML file with one more item at the end of a list. Comments and layout stay.
 *
 * @throws Error when the file is not YAML, or has no list at the path.
 */
export function addToList(text: string, path: readonly (string | number)[], item: unknown): string {
  return editYaml(text, (document) => {
    const list = document.getIn(path, true);
    if (!isSeq(list)) throw new Error(`${path.join('.')} is not a list`);
    // The form of its first item.
    if (list.items.length === 0) list.flow = false;
    list.add(document.createNode(item, { flow: true }));
  });
}
