from services.auth.api_keys.rules import NEVER, grantable
from services.auth.users.rules import ALL_SCOPES, PLATFORM_SCOPE


def test_some_rights_are_for_people_alone():
    assert grantable(ALL_SCOPES | {PLATFORM_SCOPE}) == ALL_SCOPES - NEVER
    assert {"user:manage", PLATFORM_SCOPE, "ops:write", "price:approve"} <= NEVER
    assert grantable({"inventory:read"}) == {"inventory:read"}
