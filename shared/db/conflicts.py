"""What the database refuses, said as the problem it means."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import IntegrityError

from shared.errors import Problem


@contextmanager
def conflicts(problems: Mapping[str, Problem]) -> Iterator[None]:
    """Raise the problem of the constraint that a statement in the block breaks.

        with conflicts({"locations_name": LocationNameTaken(location=name)}):
            await session.flush()

    Only the database knows whether a name was taken meanwhile, and which rule was broken: the
    constraint's name says it. Anything else goes on up as it is.
    """
    try:
        yield
    except (IntegrityError, asyncpg.IntegrityConstraintViolationError) as error:
        problem = problems.get(_broken_constraint(error))
        if problem is None:
            raise
        raise problem from error


def _broken_constraint(error: BaseException) -> str:
    """Return the name of the constraint or unique index that was broken; empty if none was.

    SQLAlchemy's error carries its adapter's, and that one asyncpg's own.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, asyncpg.PostgresError):
            return found.constraint_name or ""
        found = getattr(found, "orig", None) or found.__cause__
    return ""
