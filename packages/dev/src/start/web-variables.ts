import { freePort } from './free-port.ts';

/**
 * Returns the variables with which a service serves browsers on a port of this machine, for pages of every origin; 0 is any
 * free port. A port that is taken is reported as a step, and the service starts without a web port.
 */
export async function webVariables(
  name: string,
  port: number,
  onStep: (description: string) => void,
): Promise<Record<string, string>> {
  try {
    const address = `127.0.0.1:${await freePort(port)}`;
    return { WEB_LISTEN_ADDRESS: address, WEB_ORIGINS: '*' };
  } catch (error) {
    onStep(`no web port of ${name}: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}
