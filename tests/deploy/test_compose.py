"""docker-compose.yml says the same as the table of the local stack."""

import re
from importlib import import_module

import pytest
import yaml
from pydantic import SecretStr

from deploy.certificates import HOLDERS
from deploy.compose_secrets import GIVEN, write_all
from deploy.local import secrets
from deploy.local.processes import WORKER_VERBS
from deploy.local.settings import PORT_VARIABLES, ROOT
from deploy.postgres.bootstrap import ROLES, SERVICES
from deploy.valkey.acl import USERS

COMPOSE = (ROOT / "docker-compose.yml").read_text()
CONTAINERS = yaml.safe_load(COMPOSE)["services"]
BLOCKS = dict(re.findall(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE))
PROGRAMS = {
    "gateway": "gateway",
    "backup": "deploy.backups",
    "mirror": "deploy.mirror",
    **{service: f"services.{service}" for service in SERVICES},
}

# Secrets that its settings know and the program has no use for: the owner's are for migrations.
UNREAD = {name: {"owner_database_url"} for name in PROGRAMS} | {
    name: {"redis_url"} for name in ("backup", "mirror")
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that `make secrets` fills."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    write_all(folder, {})
    return folder


def test_every_process_of_the_local_stack_is_a_container():
    workers = {f"{service}-worker" for service in SERVICES}
    jobs = {"bootstrap", *(f"{service}-migrate" for service in SERVICES)}

    assert {"gateway", "backup", "mirror", "postgres", "valkey", *SERVICES, *workers, *jobs} == set(
        BLOCKS
    )


def test_workers_do_the_same_work():
    for service, verbs in WORKER_VERBS.items():
        assert f"command: [{', '.join(verbs)}]" in BLOCKS[f"{service}-worker"]


def test_no_secret_stands_in_the_environment_of_a_container():
    """`docker inspect` shows that, and whoever reaches the engine reads it."""
    for name, container in CONTAINERS.items():
        told = set(container.get("environment", {}))

        assert not told & {*secrets.fresh(), *GIVEN, *(f"{user}_REDIS_URL" for user in USERS)}, name
        assert not {each for each in told if each.endswith(("DATABASE_URL", "REDIS_URL"))}, name
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    # Only whether it is set: the switch of the mirror's watch.
    assert used & {*secrets.fresh(), *GIVEN} == {"MIRROR_DATABASE_URL"}
    assert "${MIRROR_DATABASE_URL:+1}" in COMPOSE


def test_make_secrets_makes_every_file_that_compose_mounts(made):
    declared = {name: each["file"] for name, each in yaml.safe_load(COMPOSE)["secrets"].items()}

    assert declared == {name: f"./secrets/{name}" for name in declared}
    assert set(declared) <= {path.name for path in made.iterdir()}


def test_a_container_is_given_the_secrets_that_it_names_and_no_other():
    given = set()
    for name, container in CONTAINERS.items():
        asked = [container.get(key) for key in ("environment", "command", "entrypoint")]
        named = set(re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(asked, width=10_000)))

        assert set(container.get("secrets", [])) == named, name
        given |= named
    assert given == set(yaml.safe_load(COMPOSE)["secrets"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_reads_all_of_its_secrets_from_files(program, made, monkeypatch, tmp_path):
    """With what compose sets, and the files in the place where containers have them."""
    settings = import_module(f"{PROGRAMS[program]}.settings").Settings
    wanted = {
        name.upper()
        for name, field in settings.model_fields.items()
        if field.annotation in {SecretStr, SecretStr | None} and name not in UNREAD[program]
    }
    told = CONTAINERS[program]["environment"]
    monkeypatch.chdir(tmp_path)  # No `.env` of somebody's.
    for name in settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in wanted:
        path = told[f"{name}_FILE"].replace("/run/secrets", str(made))
        monkeypatch.setenv(f"{name}_FILE", path)

    loaded = settings()

    assert loaded.metrics_token.get_secret_value() == (made / "metrics_token").read_text().strip()
    assert {name.removesuffix("_FILE") for name in told if name.endswith("_FILE")} == wanted


@pytest.mark.parametrize("service", SERVICES)
def test_only_migrations_own_the_schema(service):
    holds = {n for n, c in CONTAINERS.items() if "owner_database_url" in c.get("secrets", [])}

    assert holds == {f"{each}-migrate" for each in SERVICES}
    worker, migrate = CONTAINERS[f"{service}-worker"], CONTAINERS[f"{service}-migrate"]
    assert worker["secrets"] == CONTAINERS[service]["secrets"]
    assert {*worker["secrets"], "owner_database_url"} == set(migrate["secrets"])


def test_whoever_speaks_to_the_database_does_so_by_tls():
    speaks = {name for name, block in BLOCKS.items() if "image: stockwright/" in block}
    mounted = {name for name, block in BLOCKS.items() if "/certificates" in block}

    # PostgreSQL's own programs, which backups need, speak no TLS.
    assert mounted == speaks - {"backup"} | {"postgres", "valkey"}
    assert COMPOSE.count("*postgres-tls") == len(SERVICES) + 2
    assert "-c, ssl=on" in BLOCKS["postgres"]


def test_valkey_is_spoken_to_by_tls_alone():
    assert "REDIS_CA_CERT: /certificates/ca.crt" in COMPOSE
    assert '--port, "0", --tls-port, "6379"' in BLOCKS["valkey"]
    assert "redis://" not in COMPOSE.replace("rediss://", "")


def test_make_certificates_makes_every_folder_that_compose_mounts():
    assert set(re.findall(r"\./certificates/([a-z]+)", COMPOSE)) <= set(HOLDERS)


def test_the_mirror_runs_where_there_is_one():
    assert 'replicas: "0${MIRROR_DATABASE_URL:+1}"' in BLOCKS["mirror"]
    assert "-c, wal_level=logical" in BLOCKS["postgres"]


def test_every_container_is_hardened():
    for name, block in BLOCKS.items():
        assert re.search(r"<<: \*(hardened|once)", block), name
    for anchor in ("x-hardened", "x-once"):
        settings = COMPOSE.split(f"{anchor}:")[1].split("\n\n")[0]
        assert "read_only: true" in settings
        assert "cap_drop: [ALL]" in settings
        assert "no-new-privileges:true" in settings


def test_memory_and_processes_of_every_container_are_bounded():
    for name, container in CONTAINERS.items():
        assert re.fullmatch(r"(\$\{[A-Z_]+:-)?\d+[mg]\}?", container["mem_limit"]), name
        assert container["pids_limit"] <= 512, name
    [kept] = re.findall(r"--maxmemory, (\d+)mb", BLOCKS["valkey"])
    assert int(CONTAINERS["valkey"]["mem_limit"].removesuffix("m")) > int(kept)
    [connections] = re.findall(r"max_connections=(\d+)", BLOCKS["postgres"])
    assert CONTAINERS["postgres"]["pids_limit"] > int(connections)


def test_only_the_gateway_is_published():
    assert [name for name, block in BLOCKS.items() if "ports:" in block] == ["gateway"]
    assert f":-{PORT_VARIABLES['GATEWAY_PORT']}" in BLOCKS["gateway"]


def test_only_who_must_reaches_beyond_the_network_inside():
    leaves = [name for name, block in BLOCKS.items() if "outside" in block]

    # Identity providers; mail; receivers of webhooks; the remote of backups; the mirror; clients.
    assert leaves == ["auth", "auth-worker", "inventory-worker", "backup", "mirror", "gateway"]
    assert "inside: {internal: true}" in COMPOSE


def test_migrations_wait_for_the_bootstrap_and_services_for_their_migration():
    assert all(f"{role.upper()}_PASSWORD" in BLOCKS["bootstrap"] for role in ROLES)
    for service in SERVICES:
        assert "*after-bootstrap" in BLOCKS[f"{service}-migrate"]
        assert (
            f"{service}-migrate: {{condition: service_completed_successfully}}" in BLOCKS[service]
        )
