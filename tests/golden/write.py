"""Writes the golden file of each event type and schema that has none. What exists is released and never touched."""

from tests.examples import EVENTS
from tests.infra.test_event_codec import encoded, golden_file


def main() -> None:
    """Write what is missing and name it."""
    for event in EVENTS.values():
        file = golden_file(event)
        if not file.exists():
            file.write_bytes(encoded(event))
            print(file.name)


if __name__ == "__main__":
    main()
