"""Logs: one JSON object per line on stderr, with the ids bound to the work at hand (trace_id, command, case_id).

Bodies, tokens and personal values do not belong in a line. Who logs leaves them out; this module is the second guard:
a value that is large or not plain is replaced by what it is, and an exception is told by its type and place only, since
the message of a database error repeats row values.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from types import TracebackType
from typing import Any, TextIO, cast
from uuid import UUID

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LONGEST_TEXT = 300
LONGEST_LIST = 20
LONGEST_FOREIGN_MESSAGE = 1_000
_FRAMES = 12

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send our lines and those of libraries to `stream` (default: stderr as it is then). May be called again."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
        withhold,
    ]
    structlog.configure(
        processors=[*shared, _to_json],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Lines(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_shorten, _name_logger, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _to_json],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for chatty in ("httpx", "httpcore", "kafka", "asyncio", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))
    # Request lines are ours; the server's own would hold query strings.
    logging.getLogger("uvicorn.access").disabled = True
    # Until the relay has made the topics, every consumer would report each of them as an error each time it looks.
    logging.getLogger("kafka.cluster").setLevel(logging.CRITICAL)


def tell_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error` (type) and `at` (frames, innermost last). The message is left out on purpose."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, BaseException):
        given = (type(given), given, given.__traceback__)
    elif given is True:
        given = sys.exc_info()
    kind, _error, where = cast("ExcInfo", given)
    if kind is not None:
        event["error"] = f"{kind.__module__}.{kind.__qualname__}"
        frames = traceback.extract_tb(where)[-_FRAMES:]
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def withhold(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace each value that is large or not plain by a word on what it is."""
    for name, value in event.items():
        if name not in ("at", "event") and not name.startswith("_"):
            event[name] = _plain(value)
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, Enum | UUID):
        return str(value)
    if value is None or isinstance(value, bool | int | float | date | datetime):
        return value
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else f"<withheld: text of {len(value)} characters>"
    if isinstance(value, list | tuple | set | frozenset) and len(value) <= LONGEST_LIST and _all_plain(value):
        return [_plain(each) for each in value]
    return f"<withheld: {type(value).__name__}>"


def _all_plain(values: Iterable[Any]) -> bool:
    return all(value is None or isinstance(value, str | bool | int | float | Enum | UUID) for value in values)


def _shorten(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    message = str(event.get("event", ""))
    if len(message) > LONGEST_FOREIGN_MESSAGE:
        event["event"] = message[:LONGEST_FOREIGN_MESSAGE] + "…"
    return event


def _name_logger(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


def _to_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Lines:
    """Writes finished lines, each with one call, so that lines of threads do not mix."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(line + "\n")
        stream.flush()

    debug = info = warning = warn = error = critical = exception = fatal = log = msg
