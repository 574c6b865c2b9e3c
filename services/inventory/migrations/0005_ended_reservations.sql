-- By which refused and released reservations are found when their retention ends (RESERVATION_RETENTION_DAYS). Reserves wait while
-- it is built, about a second for a million of them. Create it CONCURRENTLY by hand before the release if there are many more.
CREATE INDEX IF NOT EXISTS reservations_ended ON reservations (update_time) WHERE state <> 'RESERVED';
