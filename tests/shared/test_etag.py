import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PreconditionFailed
from shared.etag import entity_tag, is_known, require_match


@pytest.mark.parametrize(
    "header",
    [None, "*", " * ", '"3"', 'W/"3"', '"1", "3"', '"1",W/"3" ', '"3-5f0c"', 'W/"3-5f0c"',
     '"2-5f0c", "3-77aa"'],
)  # fmt: skip
def test_an_edit_of_the_present_version_goes_on(header):
    require_match(header, 3)


@pytest.mark.parametrize(
    "header",
    ['"2"', "3", "", '"33"', '"1", "2"', "W/3", "garbage", '"2-3"', '"-3"', '"33-5f0c"', "3-5f0c",
     '"3', '3"', '"', '"03-5f0c"'],
)  # fmt: skip
def test_an_edit_of_another_version_is_refused(header):
    with pytest.raises(PreconditionFailed):
        require_match(header, 3)


@given(st.integers(min_value=0), st.binary())
def test_an_edit_by_the_tag_of_the_answer_that_was_read_goes_on(version, body):
    require_match(entity_tag(version, body), version)


@given(st.binary(), st.binary())
def test_answers_have_one_tag_only_if_they_show_the_same(first, second):
    assert (entity_tag(1, first) == entity_tag(1, second)) == (first == second)


@pytest.mark.parametrize("header", ["*", '"3-5f"', 'W/"3-5f"', '"1-aa", "3-5f"'])
def test_a_reader_who_has_the_answer_is_known(header):
    assert is_known(header, '"3-5f"')


@pytest.mark.parametrize("header", [None, "", '"3"', '"3-aa"', "3-5f", '"2-5f"'])
def test_a_reader_who_has_another_answer_is_not(header):
    assert not is_known(header, '"3-5f"')
