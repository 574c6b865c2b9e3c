-- <resource>
-- Spare parts.

CREATE TABLE spare_parts (
  -- UUIDv7: sorts by the time of creation.
  id uuid PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  -- Hash of the content: the same request_id with another fingerprint is another spare part under a used request_id.
  fingerprint bytea NOT NULL,
  title text NOT NULL,
  -- <state>
  -- <settle>
  state text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',
  -- </settle>
  -- <no-settle>
  state text NOT NULL DEFAULT 'STORED' CHECK (state IN (
  -- </no-settle>
    'STORED',
    -- <each-change>
    'RETIRED',
    -- </each-change>
  )),
  version bigint NOT NULL DEFAULT 1,
  -- </state>
  create_time timestamptz NOT NULL,
  -- <state>
  update_time timestamptz NOT NULL,
  -- </state>
  -- <settle>
  -- When the settler attempts it next. NULL without work.
  settle_after timestamptz DEFAULT now() CHECK (state <> 'PENDING' OR settle_after IS NOT NULL),
  settle_attempts int NOT NULL DEFAULT 0,
  -- </settle>
  CONSTRAINT spare_parts_request_once UNIQUE (owner_id, request_id)
);

-- <list>
CREATE INDEX spare_parts_by_owner ON spare_parts (owner_id, id DESC);
-- </list>
-- <settle>
CREATE INDEX spare_parts_to_settle ON spare_parts (settle_after) WHERE settle_after IS NOT NULL;
-- Persistent failures are found apart from the others, which they would otherwise delay.
CREATE INDEX spare_parts_to_settle_again ON spare_parts (settle_after)
WHERE settle_after IS NOT NULL AND settle_attempts >= 8;
-- </settle>

-- Keys that all replicas share and that need no configuration. Several keys may have the same name: the newest that every
-- replica knows encrypts tokens, and all of them decrypt (docs/keys.md).
CREATE TABLE service_keys (
  name text,
  secret bytea NOT NULL CHECK (octet_length(secret) >= 32),
  create_time timestamptz DEFAULT clock_timestamp(),
  PRIMARY KEY (name, create_time)
);
INSERT INTO service_keys (name, secret)
VALUES ('page_token', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
-- </resource>
-- <no-resource>
-- The tables of depot. Edit this file until it is released.
-- </no-resource>
