// Migrations.
export { migrate } from '../migrations/migrate.ts';
