-- <watch>
-- A change feed: one row for each change, written in the change's own transaction by the holder of the row's lock, so the
-- order of seq is the order of the changes. Rows are only inserted, and pruned. seq must keep CACHE 1.
CREATE TABLE spare_part_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  spare_part_id uuid NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  -- <state>
  state text NOT NULL,
  version bigint NOT NULL,
  -- </state>
  event_time timestamptz NOT NULL
);
CREATE INDEX spare_part_events_by_owner ON spare_part_events (owner_id, seq);

-- How far each change feed is pruned. A watcher that resumes before that has missed events.
CREATE TABLE change_feeds (
  name text PRIMARY KEY,
  -- Events up to this one may be deleted.
  pruned_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO change_feeds (name) VALUES ('spare_part_events');

CREATE FUNCTION insert_spare_part_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- <state>
  INSERT INTO spare_part_events (spare_part_id, owner_id, state, version, event_time)
  VALUES (NEW.id, NEW.owner_id, NEW.state, NEW.version, NEW.update_time);
  -- </state>
  -- <no-state>
  INSERT INTO spare_part_events (spare_part_id, owner_id, event_time)
  VALUES (NEW.id, NEW.owner_id, NEW.create_time);
  -- </no-state>
  RETURN NULL;
END $$;
-- <state>
CREATE TRIGGER spare_part_events AFTER INSERT OR UPDATE OF version ON spare_parts
-- </state>
-- <no-state>
CREATE TRIGGER spare_part_events AFTER INSERT ON spare_parts
-- </no-state>
FOR EACH ROW EXECUTE FUNCTION insert_spare_part_event();
-- </watch>
