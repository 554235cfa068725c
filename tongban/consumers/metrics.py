"""What a consumer tells Prometheus, labelled with the consumer's name."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

_LABELS = ("consumer",)


class ConsumerMetrics:
    """Counters and gauges of all consumers of a process, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.events = Counter("tongban_consumer_events", "Events handled", _LABELS, registry=registry)
        self.duplicates = Counter(
            "tongban_consumer_duplicates", "Repeated messages that were dropped", _LABELS, registry=registry
        )
        self.gaps = Counter(
            "tongban_consumer_gaps", "Messages not applied because one before is missing", _LABELS, registry=registry
        )
        self.open_gaps = Gauge(
            "tongban_consumer_open_gaps", "Partitions that wait for a missing message", _LABELS, registry=registry
        )
        self.parked = Counter("tongban_consumer_parked", "Events set aside", _LABELS, registry=registry)
        self.partitions = Gauge(
            "tongban_consumer_partitions", "Partitions this process owns", _LABELS, registry=registry
        )
        self.lag_events = Gauge(
            "tongban_consumer_lag_events", "Messages not yet handled on owned partitions", _LABELS, registry=registry
        )
        self.lag_seconds = Gauge(
            "tongban_consumer_lag_seconds", "Age of the last handled event while behind", _LABELS, registry=registry
        )


class TimerMetrics:
    """What the timers of a process tell, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.fired = Counter(
            "tongban_timers_fired", "Timers that were answered: done or refused", ("kind", "outcome"), registry=registry
        )
        self.due = Gauge("tongban_timers_due", "Timers whose time has come, not answered yet", registry=registry)
        self.lag_seconds = Gauge("tongban_timers_lag_seconds", "How long the oldest of them is due", registry=registry)
        self.recomputed = Counter(
            "tongban_deadlines_recomputed", "Cases asked to reckon their deadlines anew", registry=registry
        )
