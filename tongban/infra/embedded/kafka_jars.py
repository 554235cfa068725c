"""The jars of Apache Kafka: whether this machine can have and run them, and fetching them once by Maven.

In: a cache directory. Out: a directory of jars. Which ones stands in `kafka-pom.xml`, whose version is ours
too.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tongban.infra.embedded.process import Child, StartError

POM = Path(__file__).with_name("kafka-pom.xml")
OLDEST_JAVA = 17
"""Kafka 4 brokers refuse to run on an older one."""


def version() -> str:
    """The version of Apache Kafka that the pom names."""
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([^<]+)</version>", POM.read_text())
    if found is None:
        raise StartError(f"{POM} names no version of Apache Kafka; restore the file.")
    return found[1]


def shared_cache() -> Path:
    """Where jars are kept for every use on this machine, e.g. by tests: `~/.cache/tongban`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tongban"


def jars_directory(cache: Path) -> Path:
    """Where the jars lie in this cache once they have been fetched."""
    return cache / f"kafka-{version()}"


def why_unavailable(cache: Path) -> str | None:
    """None when Kafka can be run here, else what is missing, as one line without a full stop."""
    java = _java_version()
    if java is None:
        return f"no Java found (Java {OLDEST_JAVA} or newer is needed)"
    if java < OLDEST_JAVA:
        return f"Java {java} found, {OLDEST_JAVA} or newer is needed"
    if not jars_directory(cache).is_dir() and shutil.which("mvn") is None:
        return "no Maven (mvn) found to fetch Apache Kafka with"
    return None


def fetch(cache: Path, *, stopping: Callable[[], bool] = lambda: False, timeout: float = 900.0) -> Path:
    """The directory of jars, fetched now if need be; whole or not at all, also when two do it at once.

    `stopping` is asked now and then; once it says yes, the fetch ends with StartError.
    """
    jars = jars_directory(cache)
    if jars.is_dir():
        return jars
    try:
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache))
    except OSError as error:
        raise StartError(f"Kafka's jars cannot be kept in {cache}: {error.strerror}.") from error
    try:
        log = work / "maven.log"
        maven = Child(
            [
                *(
                    "mvn",
                    "--batch-mode",
                    "--quiet",
                    "--strict-checksums",
                    "-Dstyle.color=never",
                    "--file",
                    str(POM),
                ),
                *("dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}"),
            ],
            log=log,
        )
        deadline = time.monotonic() + timeout
        try:
            while maven.wait(0.2) is None:
                if stopping() or time.monotonic() > deadline:
                    break
        finally:
            maven.kill()
        if maven.returncode != 0:
            reason = next((line for line in maven.last_lines(200).splitlines() if "ERROR" in line), "")
            raise StartError(f"Maven could not fetch Apache Kafka {version()} ({maven.how_it_ended()}). {reason}")
        try:
            (work / "jars").rename(jars)
        except OSError:
            if not jars.is_dir():  # else somebody else was faster, and theirs are the same
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return jars


def _java_version() -> int | None:
    """The major version of the `java` on PATH, e.g. 17; None without one that answers."""
    try:
        answer = subprocess.run(["java", "-version"], check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return None if found is None else int(found[1])
