-- One row a change of stock, written in the change's own transaction by who holds the lock of the stock's row: within an
-- article the order of seq is the order of the changes. A change feed (ADR 16): only ever inserted into, and pruned; seq
-- must keep CACHE 1.
CREATE TABLE stock_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku text COLLATE "C" NOT NULL,
  title text NOT NULL,
  on_hand bigint NOT NULL,
  reserved bigint NOT NULL,
  version bigint NOT NULL,
  event_time timestamptz NOT NULL
);

-- How far each change feed is pruned: a watcher that comes back from before that has missed something.
CREATE TABLE change_feeds (
  name text PRIMARY KEY,
  -- Events up to this one may be gone.
  pruned_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO change_feeds (name) VALUES ('stock_events');
