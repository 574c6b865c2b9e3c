-- no transaction
-- By which refused and released reservations are found when their retention ends (RESERVATION_RETENTION_DAYS).
CREATE INDEX CONCURRENTLY IF NOT EXISTS reservations_ended ON reservations (update_time) WHERE state <> 'RESERVED';
