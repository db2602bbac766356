"""Up to where a journal is complete, as SQL."""


def horizon_of(service: str, bound: str = "xmin") -> str:
    """Return the expression for the id below which every transaction has ended (`xmin`).

    With `xmax`, the one from which none has begun. Both are the server's own plus what the
    journal adds to it (ADR 0004).
    """
    return (
        f"(pg_snapshot_{bound}(pg_current_snapshot())::text::bigint "
        f"+ {service}.journal_base())::text::xid8"
    )
