import { type Document, parseDocument } from 'yaml';

/**
 * Returns the text of a YAML file after a change. Comments and layout stay.
 *
 * @throws Error when the text is not YAML.
 */
export function editYaml(text: string, change: (document: Document) => void): string {
  const document = parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  change(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
