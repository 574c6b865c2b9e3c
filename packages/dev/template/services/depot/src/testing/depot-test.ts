import { randomUUID } from 'node:crypto';
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { policyOf } from '@acme/rpc/contract';
import { test as base } from 'vitest';
import { startTestDepot } from './start-test-depot.ts';

/** The scopes of all methods together. */
export const scopes = [...new Set(FrontDeskService.methods.flatMap((method) => policyOf(method).scopes))];

/** Test with an app that all tests of the file share, and with its own caller. */
export const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .extend('app', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startTestDepot();
    onCleanup(() => app[Symbol.asyncDispose]());
    return app;
  })
  .extend('subject', () => `subject-${randomUUID()}`)
  .extend('client', ({ app, subject }) => app.clientFor(subject, scopes));
