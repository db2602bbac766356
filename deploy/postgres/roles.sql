-- Cluster-wide: the owner who runs migrations, one login role per service, one that its service becomes to
-- verify (it reads the records of all tenants and changes nothing), one that makes backups: it copies the files of
-- the cluster and can select from no table, and one that reads the server's statistics and no table either.
-- Runs as superuser, any number of times.
DO $$
DECLARE
    role_name text;
    service text;
    -- What each may take of the server's connections, so that none takes all: the owner, backups and monitoring
    -- few, the services equal shares of the rest.
    owner_share int := 8;
    backup_share int := 5;
    monitor_share int := 3;
    service_share int := greatest(
        (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - owner_share - backup_share - monitor_share) / 4, 1);
BEGIN
    FOREACH role_name IN ARRAY ARRAY['stock_owner', 'auth_app', 'inventory_app', 'forecasting_app', 'reporting_app']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I', role_name);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS '
            'CONNECTION LIMIT %s',
            role_name, CASE role_name WHEN 'stock_owner' THEN owner_share ELSE service_share END
        );
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stock_backup') THEN
        CREATE ROLE stock_backup;
    END IF;
    EXECUTE format(
        'ALTER ROLE stock_backup LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS '
        'CONNECTION LIMIT %s',
        backup_share
    );
    -- It inherits pg_monitor, and is in nothing else.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stock_monitor') THEN
        CREATE ROLE stock_monitor;
    END IF;
    EXECUTE format(
        'ALTER ROLE stock_monitor LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS '
        'CONNECTION LIMIT %s',
        monitor_share
    );
    ALTER ROLE stock_monitor SET default_transaction_read_only = on;
    GRANT pg_monitor TO stock_monitor;
    FOREACH service IN ARRAY ARRAY['auth', 'inventory', 'forecasting', 'reporting']
    LOOP
        role_name := service || '_verifier';
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I', role_name);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS',
            role_name
        );
        EXECUTE format('GRANT %I TO %I', role_name, service || '_app');
    END LOOP;
END
$$;
