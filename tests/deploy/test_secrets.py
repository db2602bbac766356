import stat

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dotenv import dotenv_values

from deploy.local import secrets
from deploy.postgres.bootstrap import ROLES
from shared.settings import is_placeholder


def test_first_load_makes_every_secret_in_a_private_file(tmp_path):
    path = tmp_path / "local" / "secrets.env"

    values, added = secrets.load(path)

    assert set(values) == set(added) == set(secrets.MAKERS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_second_load_changes_nothing(tmp_path):
    path = tmp_path / "secrets.env"
    first, _ = secrets.load(path)
    written = path.read_bytes()

    second, added = secrets.load(path)

    assert second == first
    assert not added
    assert path.read_bytes() == written


def test_secret_that_came_later_is_added_and_the_rest_kept(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text("# mine\nJWT_SECRET=chosen-by-me\nEXTRA=kept")

    values, added = secrets.load(path)

    assert values["JWT_SECRET"] == "chosen-by-me"
    assert "JWT_SECRET" not in added
    assert path.read_text().startswith("# mine\nJWT_SECRET=chosen-by-me\nEXTRA=kept\n")
    assert secrets.load(path) == (values, frozenset())


def test_keys_have_the_form_that_settings_ask_for():
    values = secrets.fresh()

    assert load_pem_private_key(values["JWT_PRIVATE_KEY"].encode(), None).key_size == 2048
    for name in ("ENCRYPTION_KEY", "PRICE_ENCRYPTION_KEY", "AUTH_JOURNAL_SIGNING_KEY"):
        assert len(bytes.fromhex(values[name])) == 32
    assert len(values["ADMIN_PASSWORD"]) >= 12
    assert {secrets.password_name(role) for role in ROLES} <= set(values)


def test_no_secret_is_made_twice():
    first, second = secrets.fresh(), secrets.fresh()

    assert len(set(first.values())) == len(first)
    assert not set(first.values()) & set(second.values())


def test_env_file_reads_back_unchanged(tmp_path):
    values = secrets.fresh()
    path = tmp_path / "keys.env"

    path.write_text(secrets.as_env_file(values))

    assert dotenv_values(path) == values
    assert len(path.read_text().splitlines()) == len(values)


def test_fresh_secrets_are_good_enough_for_production():
    drawn = secrets.fresh()

    assert not {name for name, secret in drawn.items() if is_placeholder(secret)}
