"""Moving all data to another server or major version of PostgreSQL: a logical export and import."""
