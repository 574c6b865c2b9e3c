-- How far each change feed is pruned: a watcher that comes back from before that has missed something.
CREATE TABLE change_feeds (
  name text PRIMARY KEY,
  -- Events up to this one may be gone.
  pruned_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO change_feeds (name) VALUES ('order_events');

COMMENT ON TABLE order_events IS
  'A change feed (ADR 16): read in the order of seq, which within an order is the order of its changes because the event is inserted by who holds the lock of its row. Only ever inserted into, and pruned; seq must keep CACHE 1.';
