import type { ComponentChildren } from 'preact';
import { live } from '../data/live.ts';

/** A sentence in the place of data, or above data that is old. */
export function Notice({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="notice" role="status">
      {children}
    </p>
  );
}

/** Why an action of the reader failed. */
export function Failure({ message }: { readonly message: string }) {
  return message === '' ? null : (
    <p class="failure" role="alert">
      {message}
    </p>
  );
}

/** Says where the services send their telemetry, if it is not the console. */
export function TelemetryElsewhere() {
  const endpoint = live.value?.telemetryElsewhere ?? null;
  return endpoint === null ? null : (
    <Notice>
      The services send telemetry to {endpoint} instead of the console, because OTEL_EXPORTER_OTLP_ENDPOINT is
      set.
    </Notice>
  );
}
