"""Writes the golden file of each event type that has none. Files that exist are never touched: they are released."""

from pathlib import Path

from tests.examples import EVENTS
from tests.infra.test_event_codec import encoded


def main() -> None:
    """Write what is missing and name it."""
    for name, event in EVENTS.items():
        file = Path(__file__).parent / f"{name}.v1.json"
        if not file.exists():
            file.write_bytes(encoded(event))
            print(file.name)


if __name__ == "__main__":
    main()
