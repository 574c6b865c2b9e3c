-- By which a watch of some SKUs finds what it missed. Changes of stock wait while it is built, about a second for a million
-- events. Create it CONCURRENTLY by hand before the release if there are many more.
CREATE INDEX IF NOT EXISTS stock_events_by_sku ON stock_events (sku, seq);
