from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.inventory.approvals.schemas import AWAITS_APPROVAL, ApprovalRead, location_of
from services.inventory.categories.errors import CategoryNotFound
from services.inventory.counts import service
from services.inventory.counts.errors import (
    CountClosed,
    CountFrozen,
    CountHidden,
    CountLinesRefused,
    CountNotFound,
    CountRefused,
    CountTooLarge,
    CountUnready,
    NothingToRecount,
)
from services.inventory.counts.schemas import (
    CountCancelCreate,
    CountCreate,
    CountEnteredRead,
    CountLinePage,
    CountLineQuery,
    CountLinesCreate,
    CountPage,
    CountPostCreate,
    CountQuery,
    CountRead,
    ProposalPage,
    ProposalQuery,
    RecountCreate,
)
from services.inventory.items.errors import ItemNotFound
from services.inventory.locations.errors import LocationNotFound
from services.inventory.requests import Policy, PriceSealer
from shared.errors import LocationNotAllowed, MissingScope, PreconditionFailed
from shared.limits import BULK_LIMIT_BYTES
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import model_answer
from shared.web.etag import IfMatch

router = feature_router("/api/inventory/counts", "counts")


CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanCount = Annotated[Principal, Depends(requires("stock:write", by_location=True))]
_REVIEWED = (CountNotFound, CountClosed, MissingScope, LocationNotAllowed, PreconditionFailed)


@router.post(
    "",
    status_code=201,
    responses=problems(LocationNotFound, CategoryNotFound, ItemNotFound, CountTooLarge),
)
async def open_count(
    body: CountCreate,
    session: Session,
    caller: CanCount,
    sealer: PriceSealer,
    language: Language,
    now: Now,
) -> CountRead:
    """Open a count.

    With a line for each item, location and lot with stock that it covers. Nothing is frozen:
    movements go on, and what moves meanwhile is accounted for.
    """
    count = await service.open_count(session, sealer, body, caller=caller, now=now)
    return await service.read_count(session, sealer, count, caller=caller, language=language)


@router.get("", responses=problems(InvalidCursor))
async def list_counts(
    query: Annotated[CountQuery, Query()], session: Session, caller: CanRead
) -> CountPage:
    """List counts.

    Newest first. Who is limited to some locations sees those with lines there.
    """
    return await service.list_counts(session, query, caller=caller)


@router.get("/proposals", responses=problems(LocationNotFound, CategoryNotFound, InvalidCursor))
async def list_count_proposals(
    query: Annotated[ProposalQuery, Query()],
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
    now: Now,
) -> ProposalPage:
    """List what to count next.

    Cycle counts: what makes up the most of what is issued is counted most often. Class A is the
    first 80 % of the issued value, B goes on to 95 %, C is the rest. What was never counted comes
    first, then what is most overdue. POST a count with `cycle` to open one of what is due.
    """
    return await service.list_proposals(session, sealer, query, caller=caller, now=now)


@router.get("/{count_id:uuid}", responses=problems(CountNotFound))
async def get_count(
    count_id: UUID, session: Session, caller: CanRead, sealer: PriceSealer, language: Language
) -> CountRead:
    """Show a count.

    With how far it is, and how much differs. Of a blind one counters learn that once it is closed.
    """
    return await service.get_count(session, sealer, count_id, caller=caller, language=language)


@router.get("/{count_id:uuid}/lines", responses=problems(CountNotFound, CountHidden, InvalidCursor))
async def list_count_lines(
    count_id: UUID,
    query: Annotated[CountLineQuery, Query()],
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
) -> CountLinePage:
    """List lines of a count.

    In the order of walking: by location, item and lot; what was found besides comes last. With
    what is expected, what was counted and by whom, and the difference.
    """
    return await service.list_lines(session, sealer, count_id, query, caller=caller)


@router.put(
    "/{count_id:uuid}/lines",
    max_body_size=BULK_LIMIT_BYTES,
    responses=problems(
        CountNotFound, CountClosed, CountTooLarge, CountLinesRefused, PreconditionFailed
    ),
)
async def enter_count_lines(
    count_id: UUID,
    body: CountLinesCreate,
    session: Session,
    caller: CanCount,
    language: Language,
    now: Now,
    if_match: IfMatch = None,
) -> CountEnteredRead:
    """Enter what was counted.

    Up to 10,000 lines, all or none; every line that is wrong is named at once. An entry takes the
    place of what you said of the same line before, by the time of counting, or adds to it
    (`add`). Several may count together: two who each say what lies there in all must agree, or
    the line is in dispute until it is counted again. Sent again, the same changes nothing.
    """
    return await service.enter_lines(
        session, count_id, body, if_match, caller=caller, language=language, now=now
    )


@router.post("/{count_id:uuid}/recount", responses=problems(*_REVIEWED, NothingToRecount))
async def ask_recount(
    count_id: UUID,
    body: RecountCreate,
    session: Session,
    caller: CanCount,
    sealer: PriceSealer,
    language: Language,
    now: Now,
    if_match: IfMatch = None,
) -> CountRead:
    """Have lines counted again.

    By somebody who did not count them before, and does not see what was counted. The later count
    holds; both are kept. Needs `inventory:write` too.
    """
    count = await service.ask_recount(session, count_id, body, if_match, caller=caller, now=now)
    return await service.read_count(session, sealer, count, caller=caller, language=language)


@router.post(
    "/{count_id:uuid}/post",
    response_model=CountRead,
    responses=AWAITS_APPROVAL | problems(*_REVIEWED, CountUnready, CountRefused, CountFrozen),
)
async def post_count(
    count_id: UUID,
    body: CountPostCreate,
    session: Session,
    caller: CanCount,
    sealer: PriceSealer,
    policy: Policy,
    language: Language,
    now: Now,
    if_match: IfMatch = None,
) -> Response:
    """Post a count.

    Once: each line becomes a count correction at the time when it was counted, so what moved since
    stays. All or nothing; every line that stands in the way is named at once. With If-Match only
    what you have seen is posted. Needs `inventory:write` too. What is worth more than you may
    change alone is answered 202 with an approval, which somebody else gives; whatever is entered
    meanwhile makes that stale.
    """
    poster = service.Poster(caller, now, language, policy)
    found = await service.post_count(session, sealer, count_id, body, if_match, poster)
    if isinstance(found, ApprovalRead):
        return model_answer(found, status=202, location=location_of(found))
    shown = await service.read_count(session, sealer, found, caller=caller, language=language)
    return model_answer(shown, status=200)


@router.post("/{count_id:uuid}/cancel", responses=problems(*_REVIEWED))
async def cancel_count(
    count_id: UUID,
    body: CountCancelCreate,
    session: Session,
    caller: CanCount,
    sealer: PriceSealer,
    language: Language,
    now: Now,
    if_match: IfMatch = None,
) -> CountRead:
    """Cancel a count.

    Stock stays as it is; what was counted is kept. Whoever opened it may, and who may post it.
    """
    count = await service.cancel_count(session, count_id, body, if_match, caller=caller, now=now)
    return await service.read_count(session, sealer, count, caller=caller, language=language)
