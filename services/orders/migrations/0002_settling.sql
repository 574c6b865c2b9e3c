-- Orders that fail again and again are found apart from the others, which they would otherwise stand in front of.

CREATE INDEX orders_to_settle_again ON orders (settle_after)
WHERE settle_after IS NOT NULL AND settle_attempts >= 8;
