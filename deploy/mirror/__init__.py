"""The mirror: a second database that every committed write reaches, by logical replication."""
