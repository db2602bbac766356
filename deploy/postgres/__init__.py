"""Bootstrap of the database, its roles and its schemas."""
