import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { services } from '../repository/load-services.ts';
import type { ServiceEntry } from '../repository/service-entry.ts';

/**
 * Lists the examples of `services.ts` that their methods cannot decode, a line each; undefined when there are none. `npm start`
 * prints the examples.
 */
export function checkExamples(
  entries: readonly Pick<ServiceEntry, 'name' | 'descriptor' | 'examples'>[] = services,
): string | undefined {
  const problems = entries.flatMap(({ name, descriptor, examples }) =>
    examples.flatMap(({ method, request }) => {
      const place = `services.ts: the example ${method} of ${name}`;
      const found = descriptor.methods.find((each) => each.name === method);
      if (!found) return `${place}: ${descriptor.typeName} has no such method`;
      try {
        fromJson(found.input, request as JsonValue);
        return [];
      } catch (error) {
        return `${place}: ${(error as Error).message}`;
      }
    }),
  );
  return problems.join('\n') || undefined;
}
