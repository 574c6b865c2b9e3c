-- Size of `lines` as text, by which pages and feeds are bounded in bytes without reading the lines. NULL on orders of before this
-- migration, which are measured when they are read.
ALTER TABLE orders ADD COLUMN lines_bytes int;

-- The order's customer_id, by which a watch finds what it missed. Not named so, because statements of the release before this one
-- join the two tables.
ALTER TABLE order_events ADD COLUMN customer text COLLATE "C";

-- Empty until 0005: events enter the index as they get a customer.
CREATE INDEX order_events_by_customer ON order_events (customer, seq) WHERE customer IS NOT NULL;

-- While replicas of the release before this one are replaced, they insert orders and events without the new columns.
CREATE FUNCTION set_order_lines_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.lines_bytes := octet_length(NEW.lines::text);
  RETURN NEW;
END $$;
CREATE TRIGGER orders_lines_bytes BEFORE INSERT ON orders
FOR EACH ROW WHEN (NEW.lines_bytes IS NULL) EXECUTE FUNCTION set_order_lines_bytes();

CREATE FUNCTION set_order_event_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT customer_id INTO NEW.customer FROM orders WHERE id = NEW.order_id;
  RETURN NEW;
END $$;
CREATE TRIGGER order_events_customer BEFORE INSERT ON order_events
FOR EACH ROW WHEN (NEW.customer IS NULL) EXECUTE FUNCTION set_order_event_customer();
