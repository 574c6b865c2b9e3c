-- The request of an order is forgotten some time after it was placed (REQUEST_ID_RETENTION_DAYS): request_id and fingerprint are NULL
-- then, and the order stays. Replicas of the release before this one never find such a request, and place another order.
ALTER TABLE orders
  -- squawk-ignore ban-drop-not-null
  ALTER COLUMN request_id DROP NOT NULL,
  -- squawk-ignore ban-drop-not-null
  ALTER COLUMN fingerprint DROP NOT NULL;

-- The progress of forgetting, which goes by the ids of a table's rows.
CREATE TABLE forgotten_requests (
  table_name text PRIMARY KEY,
  -- Requests of rows up to this one are forgotten.
  last_id uuid NOT NULL
);
INSERT INTO forgotten_requests (table_name, last_id) VALUES ('orders', '00000000-0000-0000-0000-000000000000');
