"""Where a trace goes on, from one lot to the next."""

from uuid import uuid4

from services.inventory.lots.rules import Kin, Link, next_kin

PASTA, SAUCE, BOX = uuid4(), uuid4(), uuid4()
HERE, ONE, TWO, THREE = uuid4(), uuid4(), uuid4(), uuid4()


def parts():
    return [
        Link(HERE, lot, item, joins=False, is_kit=item == BOX)
        for lot, item in ((ONE, PASTA), (TWO, SAUCE), (THREE, BOX))
    ]


def test_into_a_kit_it_is_still_about_the_part():
    into = Link(HERE, ONE, BOX, joins=True, is_kit=True)

    assert next_kin(Kin(HERE, PASTA, PASTA), [into]) == [Kin(ONE, BOX, PASTA)]


def test_out_of_a_kit_come_all_parts_or_the_one_that_went_in():
    assert next_kin(Kin(HERE, BOX, BOX), parts()) == [
        Kin(ONE, PASTA, PASTA), Kin(TWO, SAUCE, SAUCE), Kin(THREE, BOX, BOX)
    ]  # fmt: skip
    assert next_kin(Kin(HERE, BOX, PASTA), parts()) == [
        Kin(ONE, PASTA, PASTA), Kin(THREE, BOX, PASTA)
    ]  # fmt: skip


def test_where_the_part_is_not_among_them_it_may_be_any():
    gone = uuid4()
    links = [link for link in parts() if not link.is_kit]

    assert next_kin(Kin(HERE, BOX, gone), links) == [
        Kin(ONE, PASTA, PASTA), Kin(TWO, SAUCE, SAUCE)
    ]  # fmt: skip
