-- A transaction of its own, so that replicas of the release before this one go on writing meanwhile: since 0004 their events have a
-- customer, and these rows are touched by nothing but pruning.
UPDATE order_events SET customer_id = orders.customer_id
FROM orders WHERE orders.id = order_events.order_id AND order_events.customer_id IS NULL;
