from itertools import islice

from tests.torture.plan import STEPS, as_text, faults, from_text, steps


def test_the_same_seed_plans_the_same():
    for client in range(3):
        first, again = (list(islice(steps("s", client), 50)) for _ in range(2))
        assert first == again
        assert [step.choices.random() for step in first] == [s.choices.random() for s in again]
    assert faults("s", 300) == faults("s", 300)


def test_another_seed_plans_otherwise():
    assert faults("s", 300) != faults("t", 300)
    assert list(islice(steps("s", 0), 50)) != list(islice(steps("t", 0), 50))


def test_clients_do_different_things_and_each_does_all_kinds():
    kinds = {step.kind for step in islice(steps("s", 0), 2000)}

    assert kinds == set(STEPS)
    assert list(islice(steps("s", 0), 50)) != list(islice(steps("s", 1), 50))


def test_every_fault_comes_before_one_comes_again():
    planned = faults("s", 300)
    names = [(fault.kind, fault.target) for fault in planned]

    assert [fault.at_s for fault in planned] == sorted(fault.at_s for fault in planned)
    assert len(set(names[:40])) > 30
    assert all(0 < fault.at_s < 300 for fault in planned)


def test_faults_can_be_kept_shortened_and_run_again():
    planned = faults("s", 60)

    assert from_text(as_text(planned)) == planned
    assert from_text(as_text(planned[:3]) + "\n") == planned[:3]
