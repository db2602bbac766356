from deploy.operator.reconcile import differences


def test_what_is_equal_is_no_difference_and_nothing_is_zero():
    assert differences({"t": {"i p": "10"}, "u": {}}, {"t": {"i p": "10"}}) == set()
    assert differences({"t": {"i p": "0"}}, {}) == set()


def test_each_amount_that_differs_is_named_with_both():
    inventory = {"t": {"i p": "10", "j p": "1"}}
    reporting = {"t": {"i p": "9"}, "u": {"k q": "2"}}

    assert differences(inventory, reporting) == {
        ("t", "i p", "10", "9"), ("t", "j p", "1", "0"), ("u", "k q", "0", "2"),
    }  # fmt: skip
