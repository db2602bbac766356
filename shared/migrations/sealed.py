"""What tells a service which values another key sealed, of all tenants and without the values."""

from alembic import op

from shared.migrations.foundation import narrow


def create_sealed_values(schema: str) -> None:
    """Create two questions about columns whose name ends in `_sealed`.

    Rows, in the order of their keys as text, that another key sealed; and how many each key sealed.
    """
    op.execute(f"""
        CREATE FUNCTION {schema}.sealed_by_others(
            table_name text, column_name text, row_key text, key_id bytea, after text, most int)
        RETURNS TABLE (tenant_id uuid, row_id text)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        BEGIN
            IF column_name !~ '_sealed$' THEN RAISE 'not a sealed column'; END IF;
            RETURN QUERY EXECUTE format(
                'SELECT (to_jsonb(t) ->> ''tenant_id'')::uuid, %1$I::text FROM {schema}.%2$I t '
                'WHERE substr(%3$I, 2, 4) <> $1 AND %1$I::text > $2 ORDER BY 2 LIMIT $3',
                row_key, table_name, column_name) USING key_id, after, most;
        END $$""")
    op.execute(f"""
        CREATE FUNCTION {schema}.sealed_by_key(table_name text, column_name text)
        RETURNS TABLE (key_id bytea, sealed bigint)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        BEGIN
            IF column_name !~ '_sealed$' THEN RAISE 'not a sealed column'; END IF;
            RETURN QUERY EXECUTE format(
                'SELECT substr(%1$I, 2, 4), count(*) FROM {schema}.%2$I WHERE %1$I IS NOT NULL '
                'GROUP BY 1', column_name, table_name);
        END $$""")
    narrow(schema, "sealed_by_others(text, text, text, bytea, text, int)")
    narrow(schema, "sealed_by_key(text, text)")
