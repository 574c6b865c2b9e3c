-- Spare parts.

CREATE TABLE spare_parts (
  -- UUIDv7: sorts by the time of creation.
  id uuid PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  -- Hash of the content: the same request_id with another fingerprint is another spare part under a used request_id.
  fingerprint bytea NOT NULL,
  title text NOT NULL,
  create_time timestamptz NOT NULL,
  CONSTRAINT spare_parts_request_once UNIQUE (owner_id, request_id)
);

CREATE INDEX spare_parts_by_owner ON spare_parts (owner_id, id DESC);

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
