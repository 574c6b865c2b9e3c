-- In a transaction of its own, so that replicas of the release before this one go on writing meanwhile. Since 0004 their events have a
-- customer, and pruning alone touches these.
UPDATE order_events SET customer = orders.customer_id
FROM orders WHERE orders.id = order_events.order_id AND order_events.customer IS NULL;
