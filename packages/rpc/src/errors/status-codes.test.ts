import { expect, test } from 'vitest';
import { Code, codeName } from './rpc-error.ts';
import { defectCodes, replicaFaultCodes, serverFaultCodes, transientCodes } from './status-codes.ts';

const named = (codes: Iterable<Code>) => [...codes].map(codeName).toSorted();

test('every code of a defect or of a broken replica is a fault of the server', () => {
  expect(named(serverFaultCodes)).toEqual([
    'DATA_LOSS',
    'DEADLINE_EXCEEDED',
    'INTERNAL',
    'UNAVAILABLE',
    'UNIMPLEMENTED',
    'UNKNOWN',
  ]);
  expect(named(transientCodes)).toEqual(['DEADLINE_EXCEEDED', 'UNAVAILABLE']);
  expect(named(defectCodes)).toEqual(['DATA_LOSS', 'INTERNAL', 'UNIMPLEMENTED', 'UNKNOWN']);
  expect(named(replicaFaultCodes)).toEqual([
    'DATA_LOSS',
    'DEADLINE_EXCEEDED',
    'INTERNAL',
    'UNAVAILABLE',
    'UNKNOWN',
  ]);
});

test('no code that blames the caller is a fault of the server', () => {
  const callers = [Code.OK, Code.CANCELLED, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED];
  for (const code of callers) expect(serverFaultCodes.has(code)).toBe(false);
});
