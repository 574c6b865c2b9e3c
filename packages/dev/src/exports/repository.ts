export { announceServices } from '../repository/announcement.ts';
export { withCalledServices } from '../repository/called-services.ts';
export { dataOption } from '../repository/data-option.ts';
export { services } from '../repository/load-services.ts';
export { defaultDataFolder, root } from '../repository/paths.ts';
export { type ServicesAccess, targetOf } from '../repository/services-access.ts';
