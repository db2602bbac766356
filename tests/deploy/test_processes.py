import pytest

from deploy.local import secrets
from deploy.local.postgres import SETTINGS
from deploy.local.processes import SECRETS, SHARED_SECRETS, Plan, in_layers, migrations, processes
from deploy.local.settings import read_settings

VALUES = {name: f"value-of-{name}" for name in secrets.MAKERS}
PROGRAMS = ("gateway", "auth", "inventory", "forecasting", "reporting")


def plan(tmp_path, **environment):
    return Plan(
        settings=read_settings(environment, tmp_path / "absent"),
        secrets=VALUES,
        superuser_dsn="postgresql://postgres@/postgres?host=/run/pg",
        redis_url="unix:///run/valkey.sock?db=0",
    )


def by_name(tmp_path, **environment):
    return {row.program.name: row for row in processes(plan(tmp_path, **environment))}


def secret_values(environment):
    return {value for value in environment.values() if "value-of-" in value}


def test_every_service_has_a_web_process_and_a_worker(tmp_path):
    commands = {name: row.program.command[2:] for name, row in by_name(tmp_path).items()}

    assert commands == {
        "auth": ("services.auth", "serve"),
        "auth-worker": ("services.auth", "work"),
        "inventory": ("services.inventory", "serve"),
        "inventory-worker": ("services.inventory", "work", "follow"),
        "forecasting": ("services.forecasting", "serve"),
        "forecasting-worker": ("services.forecasting", "work", "follow"),
        "reporting": ("services.reporting", "serve"),
        "reporting-worker": ("services.reporting", "work", "follow"),
        "backup": ("deploy.backups", "work"),
        "gateway": ("gateway",),
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_process_gets_its_own_secrets_and_no_other(tmp_path, program):
    environment = by_name(tmp_path)[program].program.environment

    allowed = {VALUES[name] for name in (*SHARED_SECRETS, *SECRETS[program])}
    allowed.add(f"unix://{program}:value-of-{program.upper()}_REDIS_PASSWORD@/run/valkey.sock?db=0")
    if program != "gateway":
        allowed.add(VALUES[secrets.journal_key_name(program)])
        allowed.add(
            f"postgresql://{program}_app:value-of-{program.upper()}_APP_PASSWORD"
            "@/stock?host=/run/pg"
        )
    assert secret_values(environment) == allowed


def test_secret_in_the_shell_does_not_leak_to_others(tmp_path):
    shell = {
        "JWT_SECRET": "value-of-shell",
        "STOCK_OWNER_PASSWORD": "value-of-owner",
        "OWNER_DATABASE_URL": "value-of-url",
        "ENCRYPTION_KEY_PREVIOUS": "value-of-old-key",
    }

    for name, row in by_name(tmp_path, **shell).items():
        if not name.startswith("auth"):
            assert not secret_values(row.program.environment) & set(shell.values()), name


def test_backups_hold_their_key_and_their_role_alone(tmp_path):
    environment = by_name(tmp_path)["backup"].program.environment

    assert secret_values(environment) == {
        VALUES["METRICS_TOKEN"],
        VALUES["BACKUP_ENCRYPTION_KEY"],
        f"postgresql://stock_backup:{VALUES['STOCK_BACKUP_PASSWORD']}@/stock?host=/run/pg",
    }


def test_credentials_of_the_remote_reach_backups_alone(tmp_path):
    found = by_name(
        tmp_path, BACKUP_REMOTE_OPTIONS='{"key": "value-of-remote"}', AWS_SECRET_ACCESS_KEY="other"
    )

    for name in ("BACKUP_REMOTE_OPTIONS", "AWS_SECRET_ACCESS_KEY"):
        assert [n for n, p in found.items() if name in p.program.environment] == ["backup"]


def test_a_mirror_is_watched_where_there_is_one(tmp_path):
    mirror = "postgresql://value-of-mirror@there/postgres"
    found = by_name(tmp_path, MIRROR_DATABASE_URL=mirror)
    environment = found["mirror"].program.environment

    assert "mirror" not in by_name(tmp_path)
    assert found["mirror"].program.command[2:] == ("deploy.mirror", "work")
    assert environment["METRICS_PORT"] == str(found["mirror"].health_port) == "8098"
    assert environment["SUPERUSER_DATABASE_URL"] == "postgresql://postgres@/postgres?host=/run/pg"
    assert secret_values(environment) == {VALUES["METRICS_TOKEN"], mirror}
    knowing = {n for n, p in found.items() if mirror in p.program.environment.values()}
    assert knowing == {"mirror"}


def test_backups_may_be_switched_off(tmp_path):
    assert "backup" not in by_name(tmp_path, BACKUP_ENABLED="false")


def test_old_key_reaches_who_holds_the_new_one(tmp_path):
    found = by_name(tmp_path, PRICE_ENCRYPTION_KEY_PREVIOUS="old")

    holders = {
        n for n, p in found.items() if "PRICE_ENCRYPTION_KEY_PREVIOUS" in p.program.environment
    }
    assert holders == {"inventory", "inventory-worker", "reporting", "reporting-worker"}


def test_only_migrations_know_the_owner(tmp_path):
    owner = "postgresql://stock_owner:value-of-STOCK_OWNER_PASSWORD@/stock?host=/run/pg"

    rows = migrations(plan(tmp_path))

    assert [row.command[2:] for row in rows] == [
        (f"services.{name}", "migrate")
        for name in ("auth", "inventory", "forecasting", "reporting")
    ]
    assert {row.environment["OWNER_DATABASE_URL"] for row in rows} == {owner}
    assert all(
        "OWNER_DATABASE_URL" not in p.program.environment for p in by_name(tmp_path).values()
    )


def test_health_is_asked_where_the_process_serves_it(tmp_path):
    found = by_name(tmp_path, AUTH_PORT="9001")

    assert found["auth"].health_port == 9001
    assert found["auth"].program.environment["AUTH_PORT"] == "9001"
    assert "METRICS_PORT" not in found["auth"].program.environment
    assert found["auth-worker"].program.environment["METRICS_PORT"] == "9011"
    assert found["gateway"].program.environment["AUTH_URL"] == "http://127.0.0.1:9001"


def test_all_pools_together_fit_into_the_server(tmp_path):
    found = by_name(tmp_path)
    web = 4 * (20 + 30)  # The default of the services' settings.
    workers = sum(
        int(p.program.environment["PG_POOL_SIZE"]) + int(p.program.environment["PG_MAX_OVERFLOW"])
        for name, p in found.items()
        if name.endswith("-worker")
    )

    assert web + workers < int(SETTINGS["max_connections"])


def test_own_choice_of_pool_wins_for_workers(tmp_path):
    assert (
        by_name(tmp_path, PG_POOL_SIZE="2")["auth-worker"].program.environment["PG_POOL_SIZE"]
        == "2"
    )


def test_own_database_server_keeps_its_address(tmp_path):
    cache = "redis://cache.example:6379/0"
    remote = Plan(
        settings=read_settings({"REDIS_URL": cache}, tmp_path / "absent"),
        secrets=VALUES,
        superuser_dsn="postgresql://admin:s3cret@db.example:6432/postgres?sslmode=require",
        redis_url=cache,
    )

    auth = processes(remote)[0]

    assert auth.program.environment["DATABASE_URL"] == (
        "postgresql://auth_app:value-of-AUTH_APP_PASSWORD@db.example:6432/stock?sslmode=require"
    )
    assert auth.program.environment["REDIS_URL"] == cache


def test_services_are_up_before_anybody_calls_them(tmp_path):
    first, then = in_layers(processes(plan(tmp_path)))

    assert [row.program.name for row in first] == ["auth", "inventory", "forecasting", "reporting"]
    assert len(then) == 6
    assert "gateway" in {row.program.name for row in then}
