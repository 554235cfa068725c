"""A TCP proxy before PostgreSQL that can cut the line at the worst moment: when COMMIT is on its way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Event, Thread
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class Cut(Enum):
    """When the line is cut, once."""

    BEFORE_COMMIT = "COMMIT never reaches the server"
    AFTER_COMMIT = "COMMIT is sent, and the line is gone before anything comes back"
    BEFORE_ANSWER = "the server has committed and answers into the void"


class Proxy:
    """Forwards loopback TCP to a server's unix socket. `arm` cuts the connection of the next COMMIT."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is a libpq URL that names the folder of a unix socket."""
        given = conninfo_to_dict(upstream)
        self._socket = f"{given['host']}/.s.PGSQL.{given.get('port', 5432)}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = (
            f"postgresql://{quote(str(given['user']))}@127.0.0.1:{port}/{quote(str(given['dbname']))}?sslmode=disable"
        )
        self.cuts = 0
        self._armed: Cut | None = None
        self._open: set[socket.socket] = set()
        Thread(target=self._accept, daemon=True).start()

    def arm(self, cut: Cut) -> None:
        """Cut the connection on which the next COMMIT is sent."""
        self._armed = cut

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._listener.close()
        for end in list(self._open):
            _drop(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                server.connect(self._socket)
                self._open |= {client, server}
                cut_back = Event()
                Thread(target=self._forward, args=(client, server, cut_back), daemon=True).start()
                Thread(target=self._back, args=(server, client, cut_back), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, cut_back: Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                cut = self._armed if b"COMMIT" in data else None
                if cut is None:
                    server.sendall(data)
                    continue
                self._armed = None
                self.cuts += 1
                if cut is Cut.BEFORE_ANSWER:
                    cut_back.set()
                    server.sendall(data)
                    continue
                if cut is Cut.AFTER_COMMIT:
                    server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                break
        _drop(client)
        if not cut_back.is_set():
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)  # what was sent is still worked on

    def _back(self, server: socket.socket, client: socket.socket, cut_back: Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if cut_back.is_set():
                    break
                with suppress(OSError):
                    client.sendall(data)
        for end in (server, client):
            _drop(end)
            self._open.discard(end)


def _drop(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy to the server at `url`, gone at the end."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
