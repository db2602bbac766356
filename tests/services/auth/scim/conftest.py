import pytest

from tests.services.auth.people import SignedIn
from tests.services.auth.scim.directory import Directory, directory_of


@pytest.fixture
async def directory(boss: SignedIn) -> Directory:
    """The directory of the fresh tenant."""
    return await directory_of(boss)
