import { text } from '../cli/arguments/option.ts';
import { defaultDataFolder } from './paths.ts';

/** The option `--data` of the commands that find running services by their data folder. */
export const dataOption = text('FOLDER', 'the data folder of npm start', defaultDataFolder);
