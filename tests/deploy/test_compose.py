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
PROMETHEUS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
BLOCKS = dict(re.findall(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE))
MONITORING = {"postgres-exporter", "valkey-exporter", "alertmanager", "prometheus", "grafana"}
LOOPBACK = re.compile(r"127\.0\.0\.1:\$\{([A-Z_]+):-(\d+)\}:(\d+)")
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

    programs = {"gateway", "backup", "mirror", "postgres", "valkey", *SERVICES, *workers, *jobs}
    assert programs | MONITORING == set(BLOCKS) == set(CONTAINERS)


def test_workers_do_the_same_work():
    for service, verbs in WORKER_VERBS.items():
        assert f"command: [{', '.join(verbs)}]" in BLOCKS[f"{service}-worker"]


def test_no_secret_stands_in_the_environment_of_a_container():
    """`docker inspect` shows that, and whoever reaches the engine reads it."""
    kept_apart = {*secrets.fresh(), *GIVEN}
    for name, container in CONTAINERS.items():
        told = set(container.get("environment", {}))

        assert not told & {*kept_apart, *(f"{user}_REDIS_URL" for user in USERS)}, name
        assert not {each for each in told if each.endswith(("DATABASE_URL", "REDIS_URL"))}, name
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    # Only whether it is set: the switch of the mirror's watch.
    assert used & kept_apart == {"MIRROR_DATABASE_URL"}
    assert "${MIRROR_DATABASE_URL:+1}" in COMPOSE


def test_make_secrets_makes_every_file_that_compose_mounts(made):
    declared = {name: each["file"] for name, each in yaml.safe_load(COMPOSE)["secrets"].items()}

    assert declared == {name: f"./secrets/{name}" for name in declared}
    assert set(declared) <= {path.name for path in made.iterdir()}


def test_a_container_is_given_the_secrets_that_it_names_and_no_other():
    given = set()
    for name, container in CONTAINERS.items():
        asked = [container.get(key) for key in ("environment", "command", "entrypoint")]
        asked += [PROMETHEUS] if name == "prometheus" else []
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
    assert mounted - MONITORING == speaks - {"backup"} | {"postgres", "valkey"}
    assert "sslmode=verify-full" in BLOCKS["postgres-exporter"]
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


def published(name):
    """Return the variables of a container's ports on loopback, with their defaults."""
    found = [LOOPBACK.fullmatch(port) for port in CONTAINERS[name].get("ports", [])]
    assert all(found), name
    assert all(default == inside for _, default, inside in map(re.Match.groups, found))
    return {variable: default for variable, default, _ in map(re.Match.groups, found)}


def test_only_the_gateway_is_published_to_others_than_this_machine():
    assert CONTAINERS["gateway"]["ports"] == [
        f"${{GATEWAY_PORT:-{PORT_VARIABLES['GATEWAY_PORT']}}}:8083"
    ]
    told = {name: published(name) for name in CONTAINERS if name != "gateway"}

    assert {name: ports for name, ports in told.items() if ports} == {
        "alertmanager": {"ALERTMANAGER_PORT": "9093"},
        "prometheus": {"PROMETHEUS_PORT": "9090"},
        "grafana": {"GRAFANA_PORT": "3000"},
    }


def test_what_is_published_is_in_a_network_that_can():
    for name, container in CONTAINERS.items():
        if "ports" in container:
            assert {"outside", "published"} & set(container["networks"]), name
    # It asks Prometheus, and reaches neither the database nor what is beyond.
    assert CONTAINERS["grafana"]["networks"] == ["published"]
    assert {n for n, c in CONTAINERS.items() if "published" in c["networks"]} == {
        "prometheus",
        "grafana",
    }


def test_only_who_must_reaches_beyond_the_network_inside():
    leaves = [name for name, block in BLOCKS.items() if "outside" in block]

    # Identity providers; mail; receivers of webhooks; the remote of backups; the mirror; clients;
    # who is told of alerts.
    assert leaves == [
        "auth", "auth-worker", "inventory-worker", "backup", "mirror", "gateway", "alertmanager"
    ]  # fmt: skip
    assert "inside: {internal: true}" in COMPOSE


def test_migrations_wait_for_the_bootstrap_and_services_for_their_migration():
    assert all(f"{role.upper()}_PASSWORD" in BLOCKS["bootstrap"] for role in ROLES)
    for service in SERVICES:
        assert "*after-bootstrap" in BLOCKS[f"{service}-migrate"]
        assert (
            f"{service}-migrate: {{condition: service_completed_successfully}}" in BLOCKS[service]
        )


def port_of(name):
    """Return where a container serves its metrics."""
    container = CONTAINERS[name]
    told = container.get("environment", {})
    if "METRICS_PORT" in told:
        return told["METRICS_PORT"]
    if name in MONITORING:
        [port] = re.findall(r"(?:listen-address=|LISTEN_ADDRESS: \"):(\d+)", BLOCKS[name])
        return int(port)
    return PORT_VARIABLES[f"{name.upper()}_PORT"]


def test_everything_that_prometheus_reads_is_a_container_with_that_port():
    jobs = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
    targets = {name: all_targets({"scrape_configs": [job]}) for name, job in jobs.items()}
    mirror = jobs["mirror"]["dns_sd_configs"][0]
    told = targets["stockwright"] | targets["servers"]

    assert {name: int(port) for name, port in told.items()} == {
        name: port_of(name) for name in told
    }
    assert (mirror["names"], mirror["port"]) == (["mirror"], port_of("mirror"))
    ours = set(PROGRAMS) | {f"{service}-worker" for service in SERVICES}
    assert set(targets["stockwright"]) == ours - {"mirror"}
    assert set(targets["servers"]) == MONITORING - {"grafana"}
    assert "authorization" not in jobs["servers"]
    for name in {*told, "mirror"}:
        assert "inside" in CONTAINERS[name]["networks"], name


def test_prometheus_is_given_all_that_it_is_told_to_read():
    [mounted] = [each for each in CONTAINERS["prometheus"]["volumes"] if "/etc/prometheus" in each]
    tokens = {
        job["authorization"]["credentials_file"]
        for job in PROMETHEUS["scrape_configs"]
        if job["job_name"] != "servers"
    }
    [manager] = PROMETHEUS["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]

    assert mounted == "./deploy/prometheus:/etc/prometheus:ro"
    assert all(
        (ROOT / "deploy" / "prometheus" / each).exists() for each in PROMETHEUS["rule_files"]
    )
    assert tokens == {"/run/secrets/metrics_token"}
    assert manager == f"alertmanager:{port_of('alertmanager')}"


def all_targets(config):
    """Return where Prometheus reads by name."""
    groups = [group for job in config["scrape_configs"] for group in job.get("static_configs", [])]
    return dict(target.split(":") for group in groups for target in group["targets"])


def test_by_tls_prometheus_reads_the_same():
    """`PROMETHEUS_CONFIG` names the one or the other; no certificate is shown to plain ones."""
    other = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.https.yml").read_text())
    [secured] = [job for job in other["scrape_configs"] if "tls_config" in job]
    shows = {n for n, c in CONTAINERS.items() if "SERVICE_TLS_CERT" in c.get("environment", {})}
    shows -= {"gateway", *(f"{service}-migrate" for service in SERVICES)}

    assert all_targets(other) == all_targets(PROMETHEUS)
    assert set(all_targets({"scrape_configs": [secured]})) == shows
    assert {**other, "scrape_configs": []} == {**PROMETHEUS, "scrape_configs": []}
    assert secured["scheme"] == "https"
    assert "./certificates/prometheus:/certificates:ro" in CONTAINERS["prometheus"]["volumes"]


def test_what_prometheus_keeps_is_bounded_by_time_and_size():
    asked = CONTAINERS["prometheus"]["command"]

    assert {each.partition("=")[0] for each in asked if "retention" in each} == {
        "--storage.tsdb.retention.time",
        "--storage.tsdb.retention.size",
    }
    assert "--cluster.listen-address=" in CONTAINERS["alertmanager"]["command"]


def test_grafana_is_provisioned_from_the_checkout():
    folder = ROOT / "deploy" / "grafana"
    mounts = dict(each.split(":")[:2] for each in CONTAINERS["grafana"]["volumes"])
    source = yaml.safe_load((folder / "provisioning/datasources/prometheus.yml").read_text())
    provider = yaml.safe_load((folder / "provisioning/dashboards/stockwright.yml").read_text())
    home = CONTAINERS["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./deploy/grafana/dashboards"] == provider["providers"][0]["options"]["path"]
    assert source["datasources"][0]["url"] == f"http://prometheus:{port_of('prometheus')}"
    assert (folder / "dashboards" / home.rpartition("/")[2]).exists()
    assert home.startswith(f"{mounts['./deploy/grafana/dashboards']}/")


def test_nobody_is_let_into_grafana_by_a_password_that_is_known():
    told = CONTAINERS["grafana"]["environment"]

    assert told["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_admin_password"
    assert told["GF_SECURITY_SECRET_KEY__FILE"] == "/run/secrets/grafana_secret_key"
    assert told["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert not [name for name in told if "ANONYMOUS" in name]


def test_images_of_others_are_of_one_version():
    """A release names ours by digest; no digest is known of these before they are fetched."""
    images = {
        name: c["image"] for name, c in CONTAINERS.items() if "stockwright/" not in c["image"]
    }

    assert set(images) == MONITORING | {"postgres", "valkey"}
    for name in MONITORING:
        assert re.search(r":v?\d+\.\d+\.\d+(-alpine)?$", images[name]), name


def test_whoever_stays_says_whether_he_is_well():
    for name, container in CONTAINERS.items():
        if "stockwright/" not in container["image"]:  # Ours say so in deploy/Dockerfile.
            test = container["healthcheck"]["test"]
            assert test[0] == "CMD", name
            assert container["healthcheck"]["retries"] > 1


def test_whoever_watches_waits_for_what_is_watched():
    waits = {name: set(CONTAINERS[name].get("depends_on", {})) for name in MONITORING}

    assert waits == {
        "postgres-exporter": {"bootstrap"},
        "valkey-exporter": {"valkey"},
        "alertmanager": set(),
        "prometheus": {"alertmanager"},
        "grafana": {"prometheus"},
    }
