"""`status`: how the whole is, as the gateway tells it."""

from typing import Any

from deploy.operator.place import Installation
from deploy.operator.report import DONE, FINDINGS, Report


def get_status(place: Installation) -> Report:
    """Return health and status; what is not ok is a finding."""
    health = place.get("/health", token=False)
    status = place.get("/status")
    lines = [
        f"{health['status']}: release {status['version']}, up {_ago(status['uptime_s'])}",
        f"database {health['database']}, cache {health['cache']}, backup {health['backup']}",
        *_of_backups(status["backups"]),
    ]
    for name, service in status["services"].items():
        lines.append(_of_service(name, service, status["latencies_s"]))
        lines += [
            f"  set aside: {entry['producer']} {entry.get('reason', '')}"
            for entry in (service or {}).get("set_aside", ())
        ]
    is_well = health["status"] == "ok"
    return Report(lines, {"health": health, **status}, DONE if is_well else FINDINGS)


def _of_backups(backups: dict[str, Any] | None) -> list[str]:
    if backups is None:
        return ["backups: not known, auth does not answer"]
    last, drill = backups["last"], backups["last_drill"]
    made = f"{_ago(last['age_s'])} ago in {last['duration_s']:.1f} s" if last else "none"
    tried = (
        f"{_ago(drill['age_s'])} ago, {'proved' if drill['ok'] else 'failed'}, "
        f"{drill['duration_s']:.1f} s"
        if drill
        else "none"
    )
    return [f"last backup {made}; last drill {tried}"]


def _of_service(name: str, service: dict[str, Any] | None, latencies: dict[str, float]) -> str:
    if service is None:
        return f"{name:<12} does not answer"
    queues = ", ".join(f"{queue} {number}" for queue, number in service.get("queues", {}).items())
    read = [each["read_ago_s"] for each in service["follows"] if each["read_ago_s"] is not None]
    lag = f", journals read {max(read):.0f} s ago" if read else ""
    return (
        f"{name:<12} up {_ago(service['uptime_s'])}, answers in {latencies[name] * 1000:.0f} ms, "
        f"database {service['database_latency_s'] * 1000:.1f} ms{lag}"
        f"{', ' if queues else ''}{queues}"
    )


def _ago(seconds: float) -> str:
    """Return a duration in its two largest parts."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d"] * (days > 0) + [f"{hours} h"] * (hours > 0)
    parts += [f"{minutes} min"] * (minutes > 0) + [f"{rest} s"] * (not days and not hours)
    return " ".join(parts[:2])
