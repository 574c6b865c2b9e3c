// The logger.
export { createLogger, type Logger, type LogOptions } from '../logging/logger.ts';
