"""Stands in for `python -m tongban` where the supervisor is under test: tiny processes that obey.

Usage: fake_tongban.py COMMAND…. The folder TONGBAN_DATA holds the orders: `fail-COMMAND` makes that command
fail. Every run is noted in TONGBAN_DATA/ran.
"""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Ready(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def main() -> None:
    """Do the command in the first argument."""
    command = sys.argv[1]
    data = Path(os.environ["TONGBAN_DATA"])
    with (data / "ran").open("a") as ran:
        print(*sys.argv[1:], "as admin" if "TONGBAN_ADMIN_DATABASE_URL" in os.environ else "", file=ran)
    if (data / f"fail-{command}").exists():
        sys.exit(f"{command} cannot work: the test wants it so")
    if command == "api":
        HTTPServer(("127.0.0.1", int(os.environ["TONGBAN_PORT"])), Ready).serve_forever()
    elif command in {"relay", "project", "react"}:
        time.sleep(3600)


if __name__ == "__main__":
    main()
