from hypothesis import given
from hypothesis import strategies as st

from gateway.shares import Shares

USERS = [(b"u%d" % n, b"t%d" % (n % 2)) for n in range(4)]


@given(st.lists(st.tuples(st.sampled_from(USERS), st.integers(1, 6)), max_size=60))
def test_nobody_has_more_than_his_share_and_all_comes_back(wishes):
    shares = Shares(16, user=0.5, tenant=0.75)
    taken = [wish for wish in wishes if shares.take(*wish)]

    for user in USERS:
        assert sum(amount for holder, amount in taken if holder == user) <= 8
    for tenant in (b"t0", b"t1"):
        assert sum(amount for holder, amount in taken if holder[1] == tenant) <= 12
    assert shares.total == sum(amount for _, amount in taken) <= 16
    for holder, amount in taken:
        shares.give_back(holder, amount)
    assert shares.total == 0
    assert not shares._taken


def test_everybody_may_have_one():
    shares = Shares(1)

    assert shares.take(USERS[0])
    assert not shares.take(USERS[1])
