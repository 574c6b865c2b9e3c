-- The postgres image runs this on a new data folder: a database and a role for each file in /secrets, without access to
-- the others. The file has the name of the service and holds its password. The superuser's password is random and not
-- stored: use the Unix socket inside the container.

SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', service, rtrim(pg_read_file('/secrets/' || service), E'\n'))
  FROM pg_ls_dir('/secrets') AS service WHERE service NOT LIKE '.%' \gexec

-- The services need UTF-8, which an image without a locale of its own does not default to.
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' '
              'LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8'' LOCALE ''C''', service, service)
  FROM pg_ls_dir('/secrets') AS service WHERE service NOT LIKE '.%' \gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database \gexec
