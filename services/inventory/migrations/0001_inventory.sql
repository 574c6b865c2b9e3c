-- What the warehouse has, and who holds how much of it.

CREATE TABLE stock (
  -- "C": SKUs are case-sensitive and sort by their bytes, on every machine alike.
  sku text COLLATE "C" PRIMARY KEY,
  title text NOT NULL,
  on_hand bigint NOT NULL CHECK (on_hand >= 0),
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  version bigint NOT NULL DEFAULT 1,
  update_time timestamptz NOT NULL,
  CONSTRAINT stock_not_oversold CHECK (reserved <= on_hand)
) WITH (fillfactor = 80); -- its rows change all the time: leave room on the page

-- One row an id, for ever: it is what makes a repeated reserve answer the same, and a late one fail.
CREATE TABLE reservations (
  id uuid PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('RESERVED', 'REFUSED', 'RELEASED')),
  -- [{"sku", "quantity"}], by sku; empty when the release came first.
  lines jsonb NOT NULL,
  -- Why it was refused: {"reason", "items": [{"sku", "description"}]}.
  refusal jsonb CHECK (state <> 'REFUSED' OR refusal IS NOT NULL),
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL
);

CREATE TABLE imports (
  id uuid PRIMARY KEY,
  received bigint NOT NULL,
  created bigint NOT NULL,
  updated bigint NOT NULL,
  create_time timestamptz NOT NULL
);

-- Secrets that all replicas share and nobody has to configure.
CREATE TABLE service_keys (
  name text PRIMARY KEY,
  secret bytea NOT NULL
);
INSERT INTO service_keys (name, secret)
VALUES ('page_token', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
