import { errorText } from '../../cli/fail.ts';
import { freePort } from '../process/free-port.ts';

/** The variables of a service without a web port, which takes no origins from this process. */
const withoutWeb: Record<string, string> = { WEB_ORIGINS: '' };

/**
 * Returns the variables with which a service serves browsers on a port of this machine, for pages of every origin; 0 is any
 * free port, undefined none. A port that is taken is reported as a step, and the service starts without a web port. `WEB_ORIGINS` of
 * this process, if it is set, takes precedence.
 */
export async function webVariables(
  name: string,
  port: number | undefined,
  onStep: (description: string) => void,
): Promise<Record<string, string>> {
  if (port === undefined) return withoutWeb;
  try {
    const address = `127.0.0.1:${await freePort(port, `--${name}-web-port N`)}`;
    return { WEB_LISTEN_ADDRESS: address, WEB_ORIGINS: process.env.WEB_ORIGINS ?? '*' };
  } catch (error) {
    onStep(`no web port of ${name}: ${errorText(error)}`);
    return withoutWeb;
  }
}
