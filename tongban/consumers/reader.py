"""The reader rule of one partition: which messages are new, which are repeats, and where something is missing.

Pure: in goes what a poll found, out comes what to apply and where that leaves the reader. A repeat has a position that
was already applied. A gap has a `prev_position` that was not: something before it is missing, so it is not applied.
The relay publishes again what is missing and what follows it, so the reader reads on; a topic that was made again holds
the missing part before the offset where the reader began, so after `PATIENCE` it goes back to the beginning, once.
"""

from __future__ import annotations

from dataclasses import dataclass

from tongban.consumers.feed import Batch, Message

PATIENCE = 5.0
"""Seconds a gap may be open before the partition is read again from its beginning."""
ALARM_EVERY = 30.0
"""Seconds between two alarms about a gap that stays open."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one batch means: the messages to apply, and the reader's place once they are."""

    accepted: list[Message]
    next_offset: int
    last_position: int
    duplicates: int
    gaps: int
    gap: Gap | None


@dataclass(slots=True)
class Gap:
    """An open gap: the first message that could not be applied, and since when (monotonic seconds)."""

    position: int
    prev_position: int
    offset: int
    since: float
    rewound: bool = False
    alarm_at: float = 0.0


class PartitionReader:
    """Where a consumer stands on one partition. `next_offset` and `last_position` are what PostgreSQL holds."""

    def __init__(self, next_offset: int, last_position: int) -> None:
        self.next_offset = next_offset
        self.last_position = last_position
        self.gap: Gap | None = None

    def read(self, batch: Batch, now: float) -> Reading:
        """Apply the rule to a batch; nothing changes until `moved`."""
        last, gap = self.last_position, self.gap
        accepted: list[Message] = []
        duplicates = gaps = 0
        for message in batch.messages:
            if message.position <= last:
                duplicates += 1
            elif message.prev_position is not None and message.prev_position > last:
                gaps += 1
                gap = gap or Gap(message.position, message.prev_position, message.offset, now)
            else:
                accepted.append(message)
                last = message.position
                if gap is not None and last >= gap.prev_position:
                    gap = None
        # While a gap is open its first message stays the place to begin from after a restart.
        next_offset = batch.next_offset if gap is None else gap.offset
        return Reading(accepted, next_offset, last, duplicates, gaps, gap)

    def moved(self, reading: Reading) -> None:
        """What `reading` says is committed."""
        self.next_offset = reading.next_offset
        self.last_position = reading.last_position
        self.gap = reading.gap

    def must_rewind(self, now: float) -> bool:
        """Whether it is time to go back to the beginning; true once per gap."""
        if self.gap is None or self.gap.rewound or now - self.gap.since < PATIENCE:
            return False
        self.gap.rewound = True
        return True

    def must_alarm(self, now: float) -> bool:
        """Whether it is time to say that a gap is open; true every `ALARM_EVERY` once the rewind did not help."""
        if self.gap is None or now - self.gap.since < 2 * PATIENCE or now < self.gap.alarm_at:
            return False
        self.gap.alarm_at = now + ALARM_EVERY
        return True
