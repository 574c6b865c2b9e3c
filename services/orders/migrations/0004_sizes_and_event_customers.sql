-- Size of `lines` as text, which bounds pages and feeds by bytes without reading the lines. NULL on orders of older releases: it is
-- measured when they are read.
ALTER TABLE orders ADD COLUMN lines_bytes int;

-- Whose order the event is about, by which a watch finds what it missed. Events of before this migration get it from the next one.
ALTER TABLE order_events ADD COLUMN customer_id text COLLATE "C";

-- Still empty: events enter the index as they get a customer.
CREATE INDEX order_events_by_customer ON order_events (customer_id, seq) WHERE customer_id IS NOT NULL;

-- Replicas of the release before this one insert events without a customer while they are replaced.
CREATE FUNCTION set_order_event_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT customer_id INTO NEW.customer_id FROM orders WHERE id = NEW.order_id;
  RETURN NEW;
END $$;
CREATE TRIGGER order_events_customer BEFORE INSERT ON order_events
FOR EACH ROW WHEN (NEW.customer_id IS NULL) EXECUTE FUNCTION set_order_event_customer();
