import type { Environment } from '../config/environment.ts';
import type { TlsConfig } from './tls-files.ts';

/** Reads `TLS_MODE` (`off`, `tls`, `mtls`), `TLS_CERT`, `TLS_KEY` and `TLS_CA`. Undefined is plain text. */
export function readTls(environment: Environment): TlsConfig | undefined {
  const mode = environment.oneOf('TLS_MODE', ['off', 'tls', 'mtls'], 'off');
  if (mode === 'off') return undefined;
  const pair = {
    certFile: environment.text('TLS_CERT', "the file with this service's certificate"),
    keyFile: environment.text('TLS_KEY', "the file with that certificate's key"),
  };
  if (mode === 'tls') return { mode, ...pair, caFile: environment.optionalText('TLS_CA') };
  return { mode, ...pair, caFile: environment.text('TLS_CA', 'the file with the authorities to trust') };
}
