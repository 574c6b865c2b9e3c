/** The blocks of one client in docs/clients.md. */
export interface Snippets {
  /** Texts by the name after the block's language: `main.go`. */
  readonly files: ReadonlyMap<string, string>;
  /** The commands. Empty without a block of them. */
  readonly script: string;
}

/**
 * Returns the blocks below a heading of a Markdown text. A block with a file name after its language is that file, and the `sh`
 * block is the script.
 *
 * @throws Error when there is no such heading.
 */
export function snippetsOf(markdown: string, heading: string): Snippets {
  const section = markdown.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`there is no heading ${heading}`);
  const blocks = [...section.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)];
  const script = blocks.find(([, language]) => language === 'sh')?.[3] ?? '';
  const files = blocks.flatMap(([, , name = '', text = '']): [string, string][] =>
    name === '' ? [] : [[name, text]],
  );
  return { files: new Map(files), script };
}
