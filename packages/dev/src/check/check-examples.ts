import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { services } from '../repository/load-services.ts';
import { descriptorsOf, exampleMethod, type ServiceEntry } from '../repository/service-entry.ts';

/**
 * Lists the examples of `services.ts` that their methods cannot decode, a line each; undefined when there are none. `npm start`
 * prints the examples.
 */
export function checkExamples(
  entries: readonly Pick<ServiceEntry, 'name' | 'descriptor' | 'otherDescriptors' | 'examples'>[] = services,
): string | undefined {
  const problems = entries.flatMap((entry) =>
    entry.examples.flatMap((example) => {
      const place = `services.ts: the example ${example.method} of ${entry.name}`;
      const method = exampleMethod(entry, example);
      const names = descriptorsOf(entry).map(({ typeName }) => typeName);
      if (!method) return `${place}: ${names.join(' and ')} has no such method`;
      try {
        fromJson(method.input, example.request as JsonValue);
        return [];
      } catch (error) {
        return `${place}: ${(error as Error).message}`;
      }
    }),
  );
  return problems.join('\n') || undefined;
}
