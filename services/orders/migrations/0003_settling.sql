-- Orders that fail again and again are taken up from a lane of their own, and so cannot hold up the others.

CREATE INDEX orders_to_settle_first ON orders (settle_after)
WHERE settle_after IS NOT NULL AND settle_attempts < 8;
CREATE INDEX orders_to_settle_again ON orders (settle_after)
WHERE settle_after IS NOT NULL AND settle_attempts >= 8;
DROP INDEX orders_to_settle;
