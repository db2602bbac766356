"""Locks that more than one part of the system takes, in SQL.

The functions are the service's own (`shared/migrations/evidence.py`): no other role can take them.
"""

# Take an Idempotency-Key until the transaction ends, or learn at once that somebody else has it.
# Whoever writes a key takes it so first: one waited for with other locks in hand could close a
# circle.
TRY_KEY = "try_lock(current_setting('app.tenant') || ' ' || {actor} || ' ' || {key})"
