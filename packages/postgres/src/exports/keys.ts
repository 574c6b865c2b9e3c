// Keys that the replicas of a service share.
export { openServiceKeys, type ServiceKeys } from '../keys/service-keys.ts';
