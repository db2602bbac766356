import pytest

from shared.errors import PreconditionFailed
from shared.web.etag import etag_of, require_match


@pytest.mark.parametrize("header", [None, "*", " * ", '"3"', 'W/"3"', '"1", "3"', '"1",W/"3" '])
def test_an_edit_of_the_present_version_goes_on(header):
    require_match(header, 3)


@pytest.mark.parametrize("header", ['"2"', "3", "", '"33"', '"1", "2"', "W/3", "garbage"])
def test_an_edit_of_another_version_is_refused(header):
    with pytest.raises(PreconditionFailed):
        require_match(header, 3)


def test_the_tag_of_a_version_is_quoted():
    assert etag_of(7) == '"7"'
