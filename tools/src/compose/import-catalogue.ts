import { importCatalogue } from '../catalogue.ts';
import { fail } from '../fail.ts';
import { findRunningPair } from '../running-pair.ts';

const dataFolder = process.argv[2] ?? fail('usage: node import-catalogue.ts DATA_FOLDER');

try {
  const pair =
    (await findRunningPair(dataFolder)) ?? fail(`no pair answers that is announced in ${dataFolder}`);
  process.stdout.write(`a catalogue of ${await importCatalogue(pair)} articles\n`);
  process.exit();
} catch (error) {
  fail(error);
}
