"""Where the ledger begins, for statements that ask it."""

# From when on the past can be asked: nothing that left the ledger happened later.
SINCE = "SELECT max(since) FROM openings"
# The time of recording from which on all of the tenant's rows are in the ledger.
BEGINNING = """SELECT coalesce(max(month) + interval '1 month', '-infinity') AT TIME ZONE 'UTC'
               FROM openings"""
