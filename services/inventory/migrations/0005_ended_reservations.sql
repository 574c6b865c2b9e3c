-- no transaction
-- Finds refused and released reservations whose retention has ended (RESERVATION_RETENTION_DAYS).
CREATE INDEX CONCURRENTLY IF NOT EXISTS reservations_ended ON reservations (update_time) WHERE state <> 'RESERVED';
