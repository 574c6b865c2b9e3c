import { methodName, policyOf } from '@acme/rpc/contract';
import { policies, services } from '../repository/load-services.ts';
import type { RunningServices } from '../repository/running-services.ts';
import { exampleMethod } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';

/** Returns the text that `npm start` prints once all services are up. */
export async function readyText(running: RunningServices, dataFolder: string): Promise<string> {
  const examples = services.flatMap((entry) =>
    entry.examples.flatMap((example) => {
      // The checks report an example without a method.
      const method = exampleMethod(entry, example);
      if (!method) return [];
      return {
        service: entry.name,
        target: targetOf(running, entry.name),
        method: methodName(method),
        request: `'${JSON.stringify(example.request)}'`,
        scopes: policyOf(method, policies).scopes,
      };
    }),
  );
  const [first] = examples;
  const ready = `\nReady. Ctrl-C stops it; the data stays in ${dataFolder}.\n`;
  if (!first) return `${ready}\nThere is no service yet: npm run new:service -- payments\n`;
  const ofFirst = examples.filter(({ service }) => service === first.service);
  const scopes = new Set(ofFirst.flatMap((each) => each.scopes));
  const token = await running.token('alice', [...scopes], first.service);
  return `${ready}
Call it with the project's own client, in a second terminal:

${examples.map(({ method, request }) => `  npm run call -- ${method} ${request}`).join('\n')}

Or with grpcurl, and a token for ${first.service} that is valid for a day:

  export TOKEN=${token}
  grpcurl -plaintext ${first.target} list
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d ${first.request} ${first.target} ${first.method}
${curlText(running.webTargets[first.service], token, first)}`;
}

/** Returns the call with curl; an empty text for a service without a web port. */
function curlText(webTarget: string | undefined, token: string, { request, method }: PrintedCall): string {
  if (webTarget === undefined) return '';
  return `
Or with curl. Browsers call the same address:

  curl -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d ${request} http://${webTarget}/${method}
`;
}

/** A call as shells take it. */
interface PrintedCall {
  readonly method: string;
  readonly request: string;
}
