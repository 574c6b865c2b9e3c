-- Several keys may have one name: the newest that every replica knows seals tokens, and all open them (docs/keys.md).
ALTER TABLE service_keys
  ADD COLUMN create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  DROP CONSTRAINT service_keys_pkey,
  ADD PRIMARY KEY (name, create_time),
  ADD CHECK (octet_length(secret) >= 32);
