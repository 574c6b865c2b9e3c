import type { Environment } from '../config/environment.ts';
import type { TlsConfig } from './tls-files.ts';

const certFile = {
  format: "the file with this service's certificate",
  meaning: 'PEM file of the certificate, with its chain. It is read again when it changes.',
};
const keyFile = {
  format: "the file with that certificate's key",
  meaning: 'PEM file of the private key. It is read again when it changes.',
};
const caFile = {
  format: 'the file with the authorities to trust',
  meaning:
    'PEM file of the authorities that sign the certificates of other services. Default: the authorities that Node trusts.',
};

/** Reads `TLS_MODE`, `TLS_CERT`, `TLS_KEY` and `TLS_CA`. Undefined is plain text. */
export function readTls(environment: Environment): TlsConfig | undefined {
  const mode = environment.oneOf('TLS_MODE', {
    choices: ['off', 'tls', 'mtls'],
    default: 'off',
    meaning:
      'Encryption of the server and of its clients for other services. `off` is plain text. ' +
      'With `mtls` both sides present certificates.',
  });
  if (mode === 'off') return undefined;
  const pair = {
    certFile: environment.text('TLS_CERT', certFile),
    keyFile: environment.text('TLS_KEY', keyFile),
  };
  if (mode === 'tls') return { mode, ...pair, caFile: environment.optionalText('TLS_CA', caFile) };
  return { mode, ...pair, caFile: environment.text('TLS_CA', caFile) };
}
