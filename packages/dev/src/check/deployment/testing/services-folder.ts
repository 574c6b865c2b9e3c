import { fileURLToPath } from 'node:url';

/** Folder of depot, the service that the tests deploy. */
export const testServicesFolder = fileURLToPath(new URL('services', import.meta.url));
