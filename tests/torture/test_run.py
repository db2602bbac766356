from types import SimpleNamespace as Given

from tests.torture.run import recoveries


def play(faults, ends):
    happenings = [
        Given(kind="kill", target=target, started=start, ended=end) for target, start, end in faults
    ]
    writes = [Given(done=[Given(ended=end)]) for end in ends]
    return Given(history=Given(writes=writes, happenings=happenings))


def test_without_a_fault_nothing_has_to_recover():
    assert recoveries(play([], [1, 2])) == {}


def test_it_took_until_the_next_write_unless_something_else_broke_before():
    faults = [("auth", 1, 2), ("inventory", 5, 6), ("gateway", 7, 8), ("valkey", 20, 21)]

    assert recoveries(play(faults, [3, 10])) == {"kill auth": 1, "kill gateway": 2}
