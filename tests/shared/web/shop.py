"""A service as small as can be, to see what every service gets from shared.web."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

import asyncpg
from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import Field
from sqlalchemy import text

from shared.errors import Conflict
from shared.etag import require_match
from shared.journal import AccessDenied
from shared.money import DecimalText, Quantity
from shared.principal import Principal
from shared.resources import open_resources
from shared.schemas import Input, Moment, Output, QueryModel, ShortText
from shared.settings import ServiceSettings
from shared.web import Session, build_app, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.requests import get_resources
from shared.web.route import DirectRoute
from tests.support.database import Databases
from tests.support.waiting import pause


class ShopDenied(AccessDenied):
    name: ClassVar[str] = "shop.access-denied.v1"


MIGRATIONS = {
    "0001_foundation.py": """
from shared.migrations.foundation import create_foundation

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_foundation("shop")
""",
    "0002_notes.py": """
from alembic import op

from shared.migrations.archives import create_archives
from shared.migrations.evidence import create_locks
from shared.migrations.foundation import TENANT, tenant_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_locks("shop")
    create_archives("shop")
    op.execute(f'''
        CREATE TABLE shop.notes (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            line text NOT NULL
        )''')
    tenant_table("shop", "notes")
    op.execute('''
        CREATE FUNCTION shop.refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'canary: refused at commit'; END $$''')
    op.execute('''
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON shop.notes
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.line = 'fails at commit')
        EXECUTE FUNCTION shop.refuse_at_commit()''')
""",
}
SCHEMA = """
    CREATE ROLE shop_app LOGIN PASSWORD 'shop' NOINHERIT;
    CREATE ROLE shop_verifier;
    CREATE SCHEMA shop AUTHORIZATION stock_owner;
    GRANT CONNECT ON DATABASE stock TO shop_app;
    GRANT USAGE ON SCHEMA shop TO shop_app;
    ALTER ROLE shop_app SET search_path = shop, public"""

CanRead = Annotated[Principal, Depends(requires("inventory:read"))]
router = feature_router("/api/shop", "shop")


@dataclass(eq=False)
class NoteRefused(Conflict):
    slug: ClassVar[str] = "note-refused"
    title: ClassVar[str] = "Note refused"
    detail: ClassVar[str] = "{free} left."
    free: Decimal


class NoteCreate(Input):
    line: ShortText
    quantity: Quantity = Decimal(1)


class NoteRead(Output):
    id: UUID
    line: str
    quantity: DecimalText
    version: int


class Nested(Input):
    tree: Any = Field(default=None)


@router.post("/notes", status_code=201, responses=problems(NoteRefused))
async def add_note(
    response: Response, body: NoteCreate, session: Session, _caller: CanRead
) -> NoteRead:
    """Add a note; `refuse` is refused after it was written, `slow` takes its time.

    `crossed` takes two locks, one after the other.
    """
    added = await session.scalar(_INSERT, {"line": body.line})
    if body.line == "refuse":
        raise NoteRefused(free=Decimal("2.50"))
    if body.line == "crossed":
        await session.execute(text("SELECT wait_lock('here')"))
        await session.execute(text("SELECT wait_lock('there')"))
    if body.line == "slow":
        await pause(0.2)
    response.headers["Location"] = f"/api/shop/notes/{added}"
    return NoteRead(id=added, line=body.line, quantity=body.quantity, version=1)


@router.get("/notes")
async def list_notes(session: Session, _caller: CanRead) -> list[str]:
    """List the notes by a session."""
    return list((await session.scalars(_LIST)).all())


@router.get("/notes/{line}")
async def get_note(line: str, session: Session, _caller: CanRead) -> NoteRead:
    """Read a note, which shows how many there are of it."""
    found = list((await session.scalars(_OF_LINE, {"line": line})).all())
    return NoteRead(id=found[0], line=line, quantity=Decimal(len(found)), version=1)


@router.patch("/notes/{version}")
async def change_note(
    version: int, session: Session, _caller: CanRead, if_match: IfMatch = None
) -> list[str]:
    """Pretend to change a note that stands at a version."""
    require_match(if_match, version)
    return list((await session.scalars(_LIST)).all())


@router.get("/hot-notes")
async def list_hot(request: Request, caller: CanRead) -> list[str]:
    """List the notes by the hot path."""
    async with get_resources(request).database.hot(caller.tenant_id) as connection:
        return [row["line"] for row in await connection.fetch("SELECT line FROM notes")]


@router.get("/hot-failure")
async def fail_hot(request: Request, caller: CanRead) -> None:
    """Leave a hot connection in a bad way: in a transaction, as another tenant."""
    async with get_resources(request).database.hot(caller.tenant_id) as connection:
        await connection.execute("BEGIN")
        await connection.execute("SELECT set_config('app.tenant', gen_random_uuid()::text, false)")
        raise LookupError("canary: hot")


@router.get("/sleep")
async def sleep(session: Session, _caller: CanRead, seconds: float = 600) -> None:
    """Sleep in the database."""
    await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


@router.get("/failures/{kind}")
async def fail(kind: str, session: Session, _caller: CanRead) -> None:
    """Fail in one of many ways."""
    if kind == "sql":
        await session.execute(text("SELECT canary FROM nothing_there"))
    raise FAILURES[kind]


@router.get("/stored")
async def store(session: Session, _caller: CanRead, how: str, value: int = 0) -> None:
    """Give the database a value that no check of the shop looked at."""
    await session.execute(STORED[how], {"value": value if how == "driver" else str(value)})


@router.post("/trees")
async def read_tree(body: Nested) -> dict[str, Any]:
    """Take any JSON."""
    return {"read": body.tree is not None}


@router.post("/small", max_body_size=100)
async def read_little(body: NoteCreate) -> str:
    """Take a small note."""
    return body.line


class Forms(QueryModel):
    limit: int = 10
    day: date | None = None
    at: Moment | None = None
    id: UUID | None = None
    all: bool = False


@router.get("/by-id/{note_id:uuid}")
async def get_by_id(note_id: UUID, _caller: CanRead) -> UUID:
    """Read an id from the path, which has a form of its own."""
    return note_id


@router.get("/forms")
async def read_forms(
    _caller: CanRead,
    limit: int = 10,
    day: date | None = None,
    at: Moment | None = None,
    id: UUID | None = None,  # noqa: A002 - a parameter's public name.
    all: bool = False,  # noqa: A002, FBT001, FBT002 - same.
) -> Forms:
    """Read one parameter of each form."""
    return Forms(limit=limit, day=day, at=at, id=id, all=all)


async def list_directly(
    _request: Request, _caller: CanRead, asked: Annotated[Forms, Query()]
) -> Forms:
    """Read the same by a model."""
    return asked


router.add_api_route(
    "/direct-list", list_directly, methods=["GET"], route_class_override=DirectRoute
)


async def add_directly(_request: Request, _caller: CanRead, body: NoteCreate) -> NoteRead:
    """Answer without FastAPI's general ways."""
    return NoteRead(id=UUID(int=1), line=body.line, quantity=body.quantity, version=1)


router.add_api_route(
    "/direct", add_directly, methods=["POST"], status_code=201, route_class_override=DirectRoute
)

FAILURES: dict[str, Exception] = {
    "bug": LookupError("canary: a bug"),
    "group": ExceptionGroup("canary", [ValueError("canary")]),
    "away": ConnectionRefusedError("canary: away"),
    "pool": asyncpg.TooManyConnectionsError("canary: full"),
    "shutdown": asyncpg.AdminShutdownError("canary: shutdown"),
    "cancelled": asyncpg.QueryCanceledError("canary: statement timeout"),
    "crashed": asyncpg.CrashShutdownError("canary: a neighbour crashed"),
    "ending": asyncpg.InternalClientError("canary: cannot switch to state 15"),
    "unserial": asyncpg.SerializationError("canary: could not serialize"),
    "timeout": TimeoutError("canary"),
    "frozen": asyncpg.ReadOnlySQLTransactionError("canary: cannot execute INSERT"),
}


async def open_shop(
    databases: Databases, folder: Path, environment: dict[str, str], **settings: Any
) -> FastAPI:
    """Return the shop's app over a database of its own schema, which is made if need be."""
    await _make_schema(databases, folder)
    read = ServiceSettings(
        **environment,
        **settings,
        database_url=databases.superuser_dsn.replace("postgres@", "shop_app:shop@").replace(
            "postgres:@", "shop_app:shop@"
        ),
    )
    return build_app(
        package=folder,
        title="Shop",
        description="For tests.",
        tags={},
        settings=read,
        open_service=lambda settings: open_resources("shop", settings, hot_connections=2),
        denied=ShopDenied,
        routers=(router,),
    )


async def _make_schema(databases: Databases, folder: Path) -> None:
    from shared.db.migrate import migrate  # noqa: PLC0415 - Alembic is needed here alone.

    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    for name, code in MIGRATIONS.items():
        (migrations / name).write_text(code)
    superuser = await asyncpg.connect(databases.superuser_dsn)
    await superuser.execute(SCHEMA)
    await superuser.close()
    await migrate("shop", migrations, databases.dsn("stock_owner"))


STORED = {
    "numeric": text("SELECT CAST(CAST(:value AS text) AS numeric(5, 2))"),
    "smallint": text("SELECT CAST(CAST(:value AS text) AS smallint)"),
    "uuid": text("SELECT CAST(CAST(:value AS text) AS uuid)"),
    "date": text("SELECT CAST(CAST(:value AS text) AS date)"),
    "driver": text("SELECT CAST(:value AS integer)"),
    "zero": text("SELECT 1 / length(CAST(:value AS text)) / 0"),
}
_INSERT = text("INSERT INTO notes (line) VALUES (:line) RETURNING id")
_LIST = text("SELECT line FROM notes")
_OF_LINE = text("SELECT id FROM notes WHERE line = :line ORDER BY id")
