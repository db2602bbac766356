"""Backups of the database, their restore, and the drill that proves both."""
