export type { RunningServices } from '../repository/running-services.ts';
export { freePort } from '../start/process/free-port.ts';
export { startServiceProcess } from '../start/process/service-process.ts';
export { announcedServices, findRunningServices } from '../start/running-services.ts';
export { startServices } from '../start/start-services.ts';
export { callVariables } from '../start/variables/call-variables.ts';
