import { spawnSync } from 'node:child_process';

const commands = [['docker', 'compose'], ['docker-compose']] as const;

/**
 * Returns the command of Compose with which it is installed: the plugin, or the program of its own. Undefined when there is
 * neither, or only version 1, which does not know `include`.
 */
export function composeCommand(): readonly [command: string, ...args: string[]] | undefined {
  return commands.find(([command, ...args]) => {
    const { status, stdout } = spawnSync(command, [...args, 'version', '--short'], { encoding: 'utf8' });
    return status === 0 && !stdout.startsWith('1.');
  });
}
