"""What is measured, as Prometheus reads it; in slices, so that no scrape holds the event loop."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

SLICE_LINES: Final = 50  # Written at a time; what waits meanwhile waits a millisecond at most.
_END: Final = b"# EOF\n"  # Of OpenMetrics.


async def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return (all metrics, their content type) in the form that `accept` asks for.

    OpenMetrics has exemplars, the older text format has none. Between two slices others run.
    """
    encode, content_type = choose_encoder(accept)
    parts: list[bytes] = []
    for family in registry.collect():
        samples = iter(family.samples)
        while part := list(islice(samples, SLICE_LINES)):
            text = encode(_Slice(family, part)).removesuffix(_END)
            parts.append(text if part[0] is family.samples[0] else _bare(text))
            await asyncio.sleep(0)
    if content_type.startswith("application/openmetrics-text"):
        parts.append(_END)
    return b"".join(parts), content_type


class _Slice(CollectorRegistry):
    """Some samples of a metric, for an encoder."""

    def __init__(self, family: Metric, samples: list[Sample]) -> None:
        self._family = Metric(family.name, family.documentation, family.type, family.unit)
        self._family.samples = samples

    def collect(self) -> Iterator[Metric]:
        yield self._family


def _bare(text: bytes) -> bytes:
    """Return the samples alone: the head of a metric stands once, before its first slice."""
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"# "))
