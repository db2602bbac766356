"""docker-compose.yml says the same as the table of the local stack."""

import re

import yaml

from deploy.certificates import HOLDERS
from deploy.local import secrets
from deploy.local.processes import WORKER_VERBS
from deploy.local.settings import PORT_VARIABLES, ROOT
from deploy.postgres.bootstrap import ROLES, SERVICES

COMPOSE = (ROOT / "docker-compose.yml").read_text()
BLOCKS = dict(re.findall(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE))


def test_every_process_of_the_local_stack_is_a_container():
    workers = {f"{service}-worker" for service in SERVICES}
    jobs = {"bootstrap", *(f"{service}-migrate" for service in SERVICES)}

    assert {"gateway", "backup", "mirror", "postgres", "valkey", *SERVICES, *workers, *jobs} == set(
        BLOCKS
    )


def test_workers_do_the_same_work():
    for service, verbs in WORKER_VERBS.items():
        assert f"command: [{', '.join(verbs)}]" in BLOCKS[f"{service}-worker"]


def test_make_keys_prints_every_secret_that_compose_demands():
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE))

    assert demanded == set(secrets.fresh())


def test_no_secret_has_a_default():
    with_default = set(re.findall(r"\$\{([A-Z_]+):-", COMPOSE))

    assert not with_default & set(secrets.fresh())


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
    containers = yaml.safe_load(COMPOSE)["services"]

    for name, container in containers.items():
        assert re.fullmatch(r"(\$\{[A-Z_]+:-)?\d+[mg]\}?", container["mem_limit"]), name
        assert container["pids_limit"] <= 512, name
    [kept] = re.findall(r"--maxmemory, (\d+)mb", BLOCKS["valkey"])
    assert int(containers["valkey"]["mem_limit"].removesuffix("m")) > int(kept)
    [connections] = re.findall(r"max_connections=(\d+)", BLOCKS["postgres"])
    assert containers["postgres"]["pids_limit"] > int(connections)


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
