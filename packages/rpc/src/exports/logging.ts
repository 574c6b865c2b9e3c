export { createLogger, type Logger } from '../logging/logger.ts';
