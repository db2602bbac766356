from deploy import locks

PYPROJECT = """
[project]
requires-python = ">=3.11"
[project.optional-dependencies]
core = ["fastapi>=0.121"]
gateway = ["stockwright[core]"]
auth = ["stockwright[core]", "argon2-cffi>=23.1"]
inventory = ["stockwright[core]"]
forecasting = ["stockwright[core]", "numpy>=2"]
reporting = ["stockwright[core]"]
backup = ["stockwright[core]"]
all = ["stockwright[auth,inventory,forecasting,reporting,gateway]"]
dev = ["stockwright[all]", "pytest>=8.3"]
"""


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_change_of_a_shared_requirement_touches_every_lock_but_the_installer():
    before = locks.fingerprints(PYPROJECT)
    after = locks.fingerprints(PYPROJECT.replace("0.121", "0.122"))

    assert changed(before, after) == set(locks.EXTRAS)


def test_change_of_one_service_touches_only_its_locks():
    before = locks.fingerprints(PYPROJECT)
    after = locks.fingerprints(PYPROJECT.replace("numpy>=2", "numpy>=2.1"))

    assert changed(before, after) == {"forecasting", "all", "dev"}


def test_order_and_line_breaks_do_not_matter():
    reordered = PYPROJECT.replace(
        '["stockwright[core]", "argon2-cffi>=23.1"]',
        '[\n"argon2-cffi>=23.1",\n"stockwright[core]"]',
    )

    assert locks.fingerprints(reordered) == locks.fingerprints(PYPROJECT)


def test_lock_of_other_requirements_is_stale(tmp_path):
    wanted = {"auth": "aaaa", "gateway": "bbbb", "dev": "cccc"}
    (tmp_path / "auth.txt").write_text("# made from: aaaa\nfastapi==1\n")
    (tmp_path / "gateway.txt").write_text("# made from: aaaa\nfastapi==1\n")

    assert locks.stale(tmp_path, wanted) == ["gateway", "dev"]


def test_locks_hold_hashes_and_no_index_address():
    for path in (locks.ROOT / "requirements").glob("*.txt"):
        text = path.read_text()

        assert "://" not in text, path.name
        assert "--index" not in text, path.name
        assert text.count("==") <= text.count("--hash=sha256:"), path.name


def test_every_lock_pins_the_same_versions():
    pins = [
        {line.split()[0] for line in path.read_text().splitlines() if "==" in line}
        for path in (locks.ROOT / "requirements").glob("*.txt")
        if path.stem in locks.EXTRAS
    ]

    assert len(pins) == len(locks.EXTRAS)
    assert all(one <= max(pins, key=len) for one in pins)
