export { openServiceKeys } from '../keys/service-keys.ts';
