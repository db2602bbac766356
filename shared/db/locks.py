"""Locks that more than one part of the system takes, in SQL."""

# Take an Idempotency-Key until the transaction ends, or learn at once that somebody else has it.
# Whoever writes a key takes it so first: one waited for with other locks in hand could close a
# circle.
TRY_KEY = (
    "pg_try_advisory_xact_lock("
    "hashtextextended(current_setting('app.tenant') || ' ' || {actor} || ' ' || {key}, 0))"
)
