import { type Environment, readEnvironment, type Setting } from '@acme/rpc/config';

/** Reads the variables of one program. */
export type Reader = (environment: Environment) => unknown;

/** A variable that a reader reads. */
export interface RecordedSetting extends Setting {
  /** Assignments, such as `TLS_MODE=mtls`, that require a variable that is optional otherwise, or the other way round. */
  readonly exceptions: readonly string[];
}

/**
 * Returns the variables that a reader reads, in the order in which it reads them. A reader may read a variable only when
 * another has a certain value, so it is run once without any variable, and once with each choice of each variable.
 */
export function recordSettings(read: Reader): RecordedSetting[] {
  const bare = record(read, {});
  const variations = [...bare.values()].flatMap(({ name, choices = [] }) =>
    choices.map((choice) => ({
      assignment: `${name}=${choice}`,
      settings: record(read, { [name]: choice }),
    })),
  );
  const fullestFirst = variations.map(({ settings }) => settings).sort((a, b) => b.size - a.size);
  // A Map keeps the place of the first entry of a name, and the value of the last.
  const settings = new Map([...fullestFirst, bare].flatMap((each) => [...each]));
  return [...settings.values()].map((setting) => {
    const { name } = setting;
    const isRequired = bare.get(name)?.isRequired ?? false;
    const exceptions = variations
      .filter((each) => (each.settings.get(name)?.isRequired ?? false) !== isRequired)
      .map(({ assignment }) => assignment);
    return { ...setting, isRequired, exceptions };
  });
}

function record(read: Reader, variables: Readonly<Record<string, string>>): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  const environment = readEnvironment(variables, (setting) => settings.set(setting.name, setting));
  read({ ...environment, check: () => {} });
  return settings;
}
