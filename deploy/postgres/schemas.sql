-- Inside the database: who may connect, one schema per service, the extension they share.
-- Runs as superuser, any number of times. Rights on tables are given by migrations.
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;

DO $$
DECLARE
    service text;
    role_name text;
    lock_function regprocedure;
BEGIN
    -- The server's log names statements that are slow or fail, never what they were about: parameters hold
    -- hashes of passwords, and the details of an error the row.
    EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length = 0', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length_on_error = 0', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_error_verbosity = terse', current_database());

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stock_owner', current_database());
    -- For one function of auth, by which it notes in the journal what it did.
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stock_backup', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stock_monitor', current_database());

    FOREACH service IN ARRAY ARRAY['auth', 'inventory', 'forecasting', 'reporting']
    LOOP
        role_name := service || '_app';
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION stock_owner', service);
        EXECUTE format('ALTER SCHEMA %I OWNER TO stock_owner', service);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, role_name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, service || '_verifier');
        EXECUTE format('ALTER ROLE %I SET search_path = %I, public', role_name, service);
    END LOOP;
    GRANT USAGE ON SCHEMA auth TO stock_backup;

    -- Advisory locks are of the whole database: whoever may take one may hold anybody's. So the owner alone may,
    -- and lends each service its own (`try_lock` of its schema). A schema that is not migrated to those yet keeps
    -- what its present code needs until the next bootstrap.
    FOR lock_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_(xact_)?lock'
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', lock_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO stock_owner', lock_function);
        FOREACH service IN ARRAY ARRAY['auth', 'inventory', 'forecasting', 'reporting']
        LOOP
            EXECUTE format(
                CASE WHEN to_regclass(service || '.journal') IS NOT NULL
                    AND to_regprocedure(service || '.try_lock(text)') IS NULL
                THEN 'GRANT EXECUTE ON FUNCTION %s TO %I' ELSE 'REVOKE EXECUTE ON FUNCTION %s FROM %I' END,
                lock_function, service || '_app');
        END LOOP;
    END LOOP;
END
$$;
