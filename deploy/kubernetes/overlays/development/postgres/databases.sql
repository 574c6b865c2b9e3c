-- Run by the postgres image when its data folder is new: a database and a role for each service, and nothing between
-- them. The superuser's password is nobody's: it is reached by the socket inside of the container.

\set orders `cat /secrets/orders`
\set inventory `cat /secrets/inventory`

CREATE ROLE orders LOGIN PASSWORD :'orders';
CREATE ROLE inventory LOGIN PASSWORD :'inventory';

-- UTF-8 is what the services need, and what an image does without a locale of its own would not give them.
CREATE DATABASE orders OWNER orders
  TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
CREATE DATABASE inventory OWNER inventory
  TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';

REVOKE ALL ON DATABASE orders, inventory, postgres, template1 FROM PUBLIC;
