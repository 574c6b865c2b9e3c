/** The lines of Node.js that have thrown an uncaught error: `node:internal/modules/run_main:111` to `^`. */
const ownSource = /^node:\S+:\d+\n(?:.*\n)*? *\^+\n\n?/m;
/** A frame in Node.js, and the brace that begins the fields of the error after the last frame. */
const ownFrame = /\n +at (?:async )?(?:.*\()?node:.*?( \{)?$/gm;
/** The fields of an error of Node.js: the code and the module, which its first line names too. */
const ownFields = / \{\n {2}code: 'ERR_\w+'(?:,\n {2}url: .*)?\n\}/;
const versionLine = /^Node\.js v.*$/m;

/** Returns the stderr of a process that has crashed, without the lines about the inside of Node.js. */
export function crashText(stderr: string): string {
  return stderr
    .replace(ownSource, '')
    .replaceAll(ownFrame, '$1')
    .replace(ownFields, '')
    .replace(versionLine, '')
    .trim();
}
