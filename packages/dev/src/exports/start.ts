export { callVariables } from '../start/call-variables.ts';
export { freePort } from '../start/free-port.ts';
export { findRunningServices } from '../start/running-services.ts';
export { startServiceProcess } from '../start/service-process.ts';
export { type RunningServices, startServices } from '../start/start-services.ts';
