"""What the service counts, for Prometheus. Nothing in a label comes from a request but its method."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from query.service.shelf import Shelf
from query.service.turns import Turns
from query.service.uploads import Memory

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STAGE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """A registry of its own: two services in one process do not mix."""

    def __init__(self, shelf: Shelf, turns: Turns, memory: Memory) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "lookbook_requests", "Answers, by route and status.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "lookbook_request_seconds", "From a request to its answer.", ["route"], buckets=REQUEST_S,
            registry=self.registry,
        )  # fmt: skip
        self._stages = Histogram(
            "lookbook_stage_seconds", "Of a search, by stage; stages that run side by side overlap.", ["stage"],
            buckets=STAGE_S, registry=self.registry,
        )  # fmt: skip
        self._uploaded = Counter("lookbook_uploaded_bytes", "Bodies received.", registry=self.registry)
        for name, told, value in (
            ("lookbook_searches_in_flight", "Searches that run.", lambda: turns.running),
            ("lookbook_searches_waiting", "Searches that wait for their turn.", lambda: turns.waiting),
            ("lookbook_uploads_held_bytes", "Forms and fetched photos in memory.", lambda: memory.held_bytes),
            ("lookbook_ready", "1 while a bundle is served.", lambda: int(bool(shelf.version))),
            ("lookbook_bundle_problem", "1 while a newer bundle can't be taken.", lambda: int(bool(shelf.problem))),
        ):
            Gauge(name, told, registry=self.registry).set_function(value)
        self.registry.register(_OfShelf(shelf))

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def searched(self, milliseconds: Mapping[str, float]) -> None:
        """A search came to its end."""
        for stage, taken in milliseconds.items():
            self._stages.labels(stage).observe(taken / 1000)

    def received(self, count: int) -> None:
        """So many bytes of a body were received."""
        self._uploaded.inc(count)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _OfShelf(Collector):
    """1 for the version that is served (an earlier one is not shown any more), and how often it was exchanged."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def collect(self) -> list[Metric]:
        family = GaugeMetricFamily("lookbook_bundle_info", "The bundle that is served.", labels=["version"])
        if self._shelf.version:
            family.add_metric([self._shelf.version], 1)
        taken, refused = "Newer bundles that were taken since the start.", "Bundles that were refused since the start."
        return [
            family,
            CounterMetricFamily("lookbook_bundle_switches", taken, self._shelf.switches),
            CounterMetricFamily("lookbook_bundle_failed_switches", refused, self._shelf.failed_switches),
        ]
