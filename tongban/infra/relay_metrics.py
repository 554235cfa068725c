"""What the relay tells Prometheus."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class RelayMetrics:
    """The relay's counters and gauges, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.events = Counter("tongban_relay_events", "Events published and acknowledged", registry=registry)
        self.rewinds = Counter("tongban_relay_rewinds", "Times everything was published again", registry=registry)
        self.lag_events = Gauge("tongban_relay_lag_events", "Events not yet published", registry=registry)
        self.lag_seconds = Gauge(
            "tongban_relay_lag_seconds", "Age of the oldest event not yet published", registry=registry
        )
        self.leading = Gauge("tongban_relay_leading", "1 while this process publishes", registry=registry)
