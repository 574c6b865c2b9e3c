// Migrations.

export { changedMigrations } from '../migrations/changed-migrations.ts';
export { migrate } from '../migrations/migrate.ts';
