import { markdownTable } from '../harness/markdown-table.ts';
import { type KnownFailure, knownFailures, type Run, runs } from './known-failures.ts';

/** Numbers of cases of a run. */
export interface RunFigures {
  readonly cases: number;
  readonly passed: number;
  /** Cases that grpc-js alone passes; undefined for a run without it. */
  readonly yardstick: number | undefined;
}

export type Figures = Readonly<Record<Run, RunFigures>>;

export const conformanceFile = 'docs/conformance.md';

/** Returns the text of docs/conformance.md. */
export function conformanceDocument(figures: Figures): string {
  return `# Conformance

\`npm run test:conformance\` runs two public suites against programs that use the public API of \`@acme/rpc\`, and writes this
page with \`-- --write\`. It fails if a case below passes, if any other case fails, or if this page differs from its results.
It needs Go 1.26, with which it builds the suites, once, outside of the repository.

- [Connect conformance](https://github.com/connectrpc/conformance) over gRPC: all four kinds of call, plain text, TLS and mutual TLS,
  with and without gzip, deadlines, cancellation, error details, limits, and requests and responses that break the protocol.
  The same programs on grpc-js alone are the yardstick.
- The same suite over Connect and gRPC-Web, in binary and JSON, over HTTP/1.1 and HTTP/2, with calls by GET, on the web port.
- [grpc-go's interoperability cases](https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md) that need no cloud
  credentials.

${markdownTable(
  ['run', 'cases', '`@acme/rpc` passes', 'grpc-js alone passes'],
  Object.entries(runs).map(([run, meaning]) => figuresRow(meaning, figures[run as Run])),
)}

The programs are in [\`lab/src/conformance\`](../lab/src/conformance), the contracts of the suites in [\`lab/proto\`](../lab/proto).

## Cases left

A case is one line, with the part that sets the limit. \`*\` stands for one part of a name, \`**\` for any number of them.

${markdownTable(['run', 'case', 'limit of', 'reason'], knownFailures.map(failureRow))}

## Differences from grpc-js

Cases that grpc-js alone fails, and \`@acme/rpc\` passes:

- A server of grpc-js sends \`grpc-message: OK\` with the status OK, and pads the base64 of binary trailers. The suite rejects
  both in each case in which they occur. Every client that is known reads them.
- It answers a truncated last request as if the stream had ended before it, and serves \`DELETE\` and \`application/grpc+foo\`.
- It takes an unknown \`grpc-encoding\` without a compressed message for a plain one, and a message that is marked as compressed
  with the encoding \`identity\` too.
- A client of grpc-js loses the last responses of a stream that ends with an error, if the server compresses them. It permits every
  server to compress. \`@acme/rpc\` does so only with \`compression\`, and loses none.
- It takes a truncated last response for the end of the stream.
- Two responses to a unary call leave it open until its deadline, without which it never ends.
- A response in an unknown or broken encoding is UNKNOWN without a message.
`;
}

function figuresRow(meaning: string, { cases, passed, yardstick }: RunFigures): string[] {
  return [meaning, String(cases), String(passed), yardstick === undefined ? 'not run' : String(yardstick)];
}

function failureRow({ run, cases, limitOf, reason }: KnownFailure): string[] {
  return [run, `\`${cases}\``, limitOf, reason];
}

/**
 * Returns the yardstick of each run as the page states it. Cases in which grpc-js loses responses differ a little from run
 * to run, so the page is compared with its own yardstick while that is close to the measured one.
 */
export function yardsticksOf(page: string): ReadonlyMap<Run, number> {
  const found = new Map<Run, number>();
  for (const [run, meaning] of Object.entries(runs)) {
    const row = page.split('\n').find((line) => line.startsWith(`| ${meaning} `));
    const yardstick = Number(row?.split('|').at(-2));
    if (Number.isInteger(yardstick) && yardstick > 0) found.set(run as Run, yardstick);
  }
  return found;
}
