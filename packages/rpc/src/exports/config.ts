// Settings from the environment.
export { type Environment, EnvironmentError, readEnvironment, type Setting } from '../config/environment.ts';
