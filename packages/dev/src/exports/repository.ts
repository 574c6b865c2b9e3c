export { announceServices } from '../repository/announcement.ts';
export { withCalledServices } from '../repository/called-services.ts';
export { services } from '../repository/load-services.ts';
export { defaultDataFolder, root } from '../repository/paths.ts';
export { type ServicesAccess, targetOf } from '../repository/services-access.ts';
