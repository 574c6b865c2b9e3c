-- The postgres image runs this on a new data folder: a database and a role for each service, without access to the
-- others. The superuser's password is random and not stored: use the Unix socket inside the container.

\set orders `cat /secrets/orders`
\set inventory `cat /secrets/inventory`

CREATE ROLE orders LOGIN PASSWORD :'orders';
CREATE ROLE inventory LOGIN PASSWORD :'inventory';

-- The services need UTF-8, which an image without a locale of its own does not default to.
CREATE DATABASE orders OWNER orders
  TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
CREATE DATABASE inventory OWNER inventory
  TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';

REVOKE ALL ON DATABASE orders, inventory, postgres, template1 FROM PUBLIC;
