"""What the process tells Prometheus. One object, made once per process and handed to what measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.25, 2.5, 5.0, 10.0)
_COMMANDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Every metric. Times are in seconds; lags also in events."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register in `registry`, else in one of this object's own."""
        self.registry = registry or CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.command_seconds = Histogram(
            "tongban_command_seconds",
            "From the request to its answer. outcome: done, already_so, or the problem's code",
            ("command", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_commands = Histogram(
            "tongban_batch_commands", "Commands in one commit", buckets=_COMMANDS, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "tongban_batch_seconds",
            "From taking a batch to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.commands_waiting = Gauge(
            "tongban_commands_waiting", "Commands in the queue of the writer", registry=self.registry
        )
        self.http_requests = Counter(
            "tongban_http_requests",
            "Answers by route and status",
            ("route", "status"),
            registry=self.registry,
        )
        self.relay_lag_events = self._gauge("tongban_relay_lag_events", "Stored events the relay has not sent yet")
        self.relay_lag_seconds = self._gauge("tongban_relay_lag_seconds", "Age of the oldest of them")
        self.consumer_lag_events = Gauge(
            "tongban_consumer_lag_events",
            "Events a consumer has not applied yet",
            ("consumer",),
            registry=self.registry,
        )
        self.consumer_lag_seconds = Gauge(
            "tongban_consumer_lag_seconds", "Age of the oldest of them", ("consumer",), registry=self.registry
        )
        self.parked_streams = Gauge(
            "tongban_parked_streams", "Streams a consumer has parked", ("consumer",), registry=self.registry
        )
        self.ready = self._gauge("tongban_ready", "1 when /readyz says ready")

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(name, help_text, registry=self.registry)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask `depth` for the length of the writer's queue at each scrape."""
        self.commands_waiting.set_function(lambda: float(depth()))

    def batch_done(self, requests: Sequence[object], outcomes: Sequence[object], seconds: float) -> None:
        """Count a batch: this object is an observer of the command bus."""
        del outcomes  # each is counted with its answer
        self.batch_commands.observe(len(requests))
        self.batch_seconds.observe(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """The text of /metrics and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
