-- The orders, and what is still owed to each.

CREATE TABLE orders (
  -- A UUIDv7: sorts by the time the order was placed in.
  id uuid PRIMARY KEY,
  customer_id text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  -- What the request asked for: the same request_id with another fingerprint is another order under a used name.
  fingerprint bytea NOT NULL,
  -- [{"sku", "quantity"}], as they were sent.
  lines jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
  -- Why it was rejected: {"reason", "items": [{"sku", "description"}]}.
  rejection jsonb CHECK ((rejection IS NOT NULL) = (state = 'REJECTED')),
  version bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  -- When the settler looks at it next; NULL once nothing is owed. A PENDING order is owed an answer, a CANCELLED one
  -- the release of its stock. Moved forward when it is taken up, so that one settler at a time works on it.
  settle_after timestamptz CHECK (state <> 'PENDING' OR settle_after IS NOT NULL),
  settle_attempts int NOT NULL DEFAULT 0,
  CONSTRAINT orders_request_once UNIQUE (customer_id, request_id)
) WITH (fillfactor = 80);

CREATE INDEX orders_by_customer ON orders (customer_id, id DESC);
CREATE INDEX orders_by_customer_and_state ON orders (customer_id, state, id DESC);
CREATE INDEX orders_to_settle ON orders (settle_after) WHERE settle_after IS NOT NULL;

-- One row a change, written in the change's own transaction.
CREATE TABLE order_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id uuid NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  event_time timestamptz NOT NULL
);

-- Secrets that all replicas share and nobody has to configure.
CREATE TABLE service_keys (
  name text PRIMARY KEY,
  secret bytea NOT NULL
);
INSERT INTO service_keys (name, secret)
VALUES ('page_token', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
