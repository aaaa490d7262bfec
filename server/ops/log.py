"""Events on standard error: one JSON object a line, names and fields from one list.

Rule: an event says what happened, never what somebody wrote or from where. An event or field that is not in EVENTS
raises where `strict` is set (tests) and is dropped and counted elsewhere. No exception text: a name and places.
Nobody waits for standard error (`server.ops.process.log_sink`).
"""

import asyncio
import atexit
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from server.ops.config.settings import Log
from server.ops.process.lean_imports import structlog
from server.ops.process.log_sink import Sink

# Every event and its fields; a field that holds personal data has an entry in the privacy registry as well.
EVENTS: Mapping[str, frozenset[str]] = {
    event: frozenset(fields.split())
    for event, fields in {
        "peer.fell": "name why",  # a link between two processes ended
        "process.died": "process status why",  # a process of this host; a negative status is a signal
        "process.hung": "process seconds starved state",  # it had so many seconds of its own and said nothing, and is killed; state: as in `ps`
        "process.starved": "process seconds",  # it said nothing since it waited for a core for so long: the machine is short of CPU
        "process.leaving": "process people",  # a worker that was told to end: its people go to the others
        "process.left": "process people stayed seconds",  # they are there, but for so many, who are told to come back
        "host.leaving": "hosts",  # an operator's `drain`: this host ends, and its people go to so many others
        "host.left": "process people stayed seconds",  # so many are at other hosts as this one ends; the others are told to come back
        "process.ready": "process pid",
        "process.stopped": "process",
        "library": "logger error where",  # a warning or error of a library, by the logger's name
        "loop.fault": "error where",  # an exception that nobody awaited
        "translation.failed": "cause",  # LibreTranslate does not translate: denied, refused, slow, away, malformed; once a minute
        "nats.away": "said",  # this host of several has no connection, and serves its own people
        "nats.close_failed": "said",  # of one that was given up
        "nats.connected": "said",  # to this server
        "cluster.room": "said",  # the waiting room of all hosts: where it is from now on
        "nats.silent": "",  # the connection gives nothing back, and is made anew
        "nats.trouble": "said",  # the server did not let this host do something, or gave it up
        "cluster.clock_off": "said",  # which host's clock is so far from this one's that it is not believed
        "cluster.fault": "error where",  # another host's request failed by our fault
        "cluster.key_missing": "epoch said",  # the key of this epoch is another host's and did not come; records wait from its beginning on
        "cluster.key_there": "epoch",  # it is: made here, or told by another host
        "cluster.stayed": "why said",  # people did not go to another host: it refused them, or was not there in time; once a minute
        "cluster.not_passed": "said",  # a request that another host has to answer did not get there; once a minute
        "cluster.refused": "why",  # somebody at the cluster port was not served; a word of each kind once a minute
        "college.mail_failed": "error where",  # a mail with a code was given up; never whose
        "challenge.fault": "error where",  # one could not be made or checked; who searches again is given another
        "challenge.unchecked": "cause",  # a company says nothing of answers: denied, refused, slow, away, malformed; once a minute
        "config.changed": "setting",  # SIGHUP: this setting is taken up
        "config.refused": "setting",  # SIGHUP: this is wrong, and nothing was taken
        "config.restart": "setting",  # SIGHUP: this one changed and needs a restart
        "console.port_failed": "host port error",  # an address that is not this machine's, a port that only root may have
        "console.port_taken": "host port",  # the service goes on without a console
        "console.ready": "host port",
        "console.refused": "why",  # somebody's passkey did not open anything; never whose
        "control.unavailable": "error",  # the server goes on, and cannot be upgraded without a stop
        "handover.begun": "online pid",  # a successor is ready: from here on people go there
        "handover.cut": "why people chats",  # the old process died in the middle: what it had sent is here
        "handover.ended": "people chats stayed seconds",  # the old process's word: everybody is there
        "handover.failed": "why people back",  # all is here again, but for so many people, who went to a process that died
        "handover.fault": "error where",  # a hand-over failed by our fault
        "handover.refused": "people error where",  # a record that cannot be read here: its people stay in the old process
        "handover.taken": "people chats skipped seconds",  # the new process's word; fields of a newer version were skipped
        "handover.unknown": "kind",  # a message of a newer version, skipped
        "http.fault": "error where",  # a request failed by our fault
        "log.dropped": "count error",  # lines that standard error did not take, told once it takes some again
        "metrics.ready": "host port",
        "metrics.port_failed": "host port error",  # an address that is not this machine's, a port that only root may have
        "metrics.port_taken": "host port",  # the service goes on without metrics
        "notify.failed": "error where",  # systemd was not told
        "page.unkept": "error where",  # this version's files are not there for the next
        "page.unreadable": "error where",  # an earlier version's files; damaged ones are thrown away
        "relayed.ready": "host port",  # TURN servers may report
        "relayed.port_taken": "host port",  # calls go on, what is relayed is not counted
        "setup.notice": "check said remedy",  # all is well, and an operator has to know this
        "setup.warning": "check said remedy",  # what `serendip check` would say of the settings, the data folder and limits
        "store.away": "what cause error where",  # records wait or saves are refused, and why; chats go on
        "store.back": "what",
        "store.bucket_versioned": "",  # deletions leave old versions behind
        "store.full": "",  # the disk is at its floor (store.room): no chat is saved
        "store.room": "",  # it is above it again
        "store.countries_damaged": "error where",  # some addresses have no country
        "store.keys_differ": "error where",  # another host writes with other keys than this one
        "store.set_back": "error where",  # the database was restored by other means and is older than the copies of its upkeep
        "workers.log_left": "error where",  # a saved chat whose link nobody has could not be removed
        "store.lost": "count",  # records that were still waiting at the stop, or that a worker could not send to the office
        "safety.figures_stale": "error where",  # the metrics of moderation could not be read anew
        "safety.minors_wait": "error where",  # what is stored of somebody under 18 could not be deleted yet: it is tried again
        "safety.bans_stale": "error where",  # who is banned could not be read anew; what was known holds. Once until it can
        "safety.unattended": "queues",  # no account with a passkey opens these queues, and the page says that it is not sure that somebody reads
        "safety.apart_later": "error where",  # pictures of a case could not be moved to their folder yet: it is tried when the case is opened
        "safety.pictures_lost": "count",  # too many wait for the store: this report is stored without them
        "safety.report_lost": "count error where",  # a report is not in the store and will not be
        "pictures.ended": "status",  # the process that looks at pictures ended, and is started again; a negative status is a signal
        "pictures.fault": "error where",  # why: a fault of ours in it; never a picture
        "pictures.list_refused": "name",  # this line of a list of known pictures could not be taken; the others are
        "pictures.ready": "count",  # it takes pictures; how many are known
        "pictures.stuck": "",  # it answered nothing for long, and was ended
        "pictures.unchecked": "cause",  # the server that scores pictures says nothing: denied, refused, slow, away, malformed; once a minute
        "pictures.unconfined": "what",  # this system does not let it give up that: user, mdwe
        "pictures.unreadable": "error where",  # something of it was no message
        "screening.ended": "status",  # the process that looks at lines ended, and is started again; a negative status is a signal
        "screening.fault": "error where",  # why: a fault of ours in it; never a text
        "screening.unreadable": "error where",  # something of it was no message
        "screening.rules_refused": "name",  # this file of rules cannot be; `serendip safety rules check` says why
        "store.purge_failed": "cause error where",
        "server.ready": "host port version pid descriptors",  # connections are taken
        "server.crowded": "",  # newcomers are turned away, all but a share: the loop is late by its own work
        "server.crowded_over": "count",  # how many were
        "server.short": "",  # newcomers are turned away: no descriptor or no memory is left for them
        "server.short_over": "count",  # how many were
        "server.stopped": "",
        "server.stopping": "online",  # SIGTERM or SIGINT came
        "task.failed": "task error where",  # a background task ended by a fault and is started again
        "worker.fault": "error where",  # an event failed by our fault; its connection was closed with 1011
    }.items()
}
LONGEST = 200  # characters of a text field; a path or a place is shorter, an attack is not
# What asyncio and uvloop say of writes to a connection that is lost; whoever holds it is told so.
WRITES_TO_LOST = frozenset({"socket.send() raised exception.", "SSL connection is closed"})
OWN = frozenset({"event", "level", "time"})

undeclared: Counter[str] = Counter()  # undeclared events and fields by name, for the metrics


class UndeclaredEventError(Exception):
    """A log call names an event or a field that is not in EVENTS."""


def configure(settings: Log, strict: bool = False) -> None:
    """Send structlog and the standard library's warnings to standard error, through the list. May be called again."""
    shape = SHAPES[settings.format]
    _Lines.shape = shape
    structlog.configure(
        processors=[structlog.processors.add_log_level, Declared(strict), _stamp, shape],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=_Lines,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[Libraries()], level=logging.WARNING, force=True)


def get() -> structlog.typing.FilteringBoundLogger:
    """The logger of a module: `log = get()`, then `log.info("metrics.ready", host=..., port=...)`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def described(error: BaseException) -> dict[str, str]:
    """The fields of an exception: the type of the one that began it, and where it passed, innermost first; its text may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    first = error
    while isinstance(first.__cause__, Exception):  # a cancellation is how a time-out works, not why
        first = first.__cause__
    return {"error": type(first).__qualname__, "where": where}


def loop_fault(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An exception handler for the event loop."""
    error = context.get("exception")
    get().error("loop.fault", **(described(error) if error else {}))


class Declared:
    """The processor that lets through what EVENTS lists."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict

    def __call__(self, _: object, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event = fields["event"]
        declared = EVENTS.get(event)
        if declared is None:
            self._undeclared(str(event))
            raise structlog.DropEvent
        for name in [name for name in fields if name not in declared and name not in OWN]:
            self._undeclared(f"{event} {name}")
            del fields[name]
        for name, value in fields.items():
            if not isinstance(value, int | float | None):
                fields[name] = str(value)[:LONGEST]
        return fields

    def _undeclared(self, name: str) -> None:
        if self._strict:
            raise UndeclaredEventError(name)
        undeclared[name[:LONGEST]] += 1


class Libraries(logging.Handler):
    """Turns a library's record into an event: by whom and what failed, not its text, which may hold anything."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        emit = get().error if record.levelno >= logging.ERROR else get().warning
        if record.msg in WRITES_TO_LOST:
            emit = get().debug
        place = {"where": f"{record.filename}:{record.lineno}"}
        emit("library", logger=record.name, **(described(error) if error else place))


class _Lines:
    """What structlog writes to."""

    shape: "Shape"

    def __init__(self, *_: object) -> None: ...

    def msg(self, line: bytes) -> None:
        """Hand a line over; never blocks, never raises."""
        sink().write(line + b"\n")

    debug = info = warning = error = critical = msg


@cache
def sink() -> Sink:
    """Standard error, from the first line on; what waits at the end of the process has a second to get out."""
    made = Sink(2, _missing)
    atexit.register(made.close)
    return made


def renew() -> None:
    """In a process that was forked: the thread that wrote for the one before it is not here."""
    sink.cache_clear()


def _missing(count: int, error: str) -> bytes:
    """The line that says that lines are missing."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    fields: dict[str, Any] = {"time": now, "level": "warning", "event": "log.dropped", "count": count, "error": error}
    return _Lines.shape(None, "", fields) + b"\n"


_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")


def _line(_: object, __: str, fields: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(
        {"time": fields.pop("time"), "level": fields.pop("level"), "event": fields.pop("event"), **fields}
    )


def _columns(_: object, __: str, fields: MutableMapping[str, Any]) -> bytes:
    time, level, event = fields.pop("time"), fields.pop("level"), fields.pop("event")
    rest = " ".join(f"{name}={orjson.dumps(value).decode()}" for name, value in fields.items())
    return f"{time} {level:<8}{event:<20} {rest}".rstrip().encode()


Shape = Callable[[object, str, MutableMapping[str, Any]], bytes]
SHAPES: Mapping[str, Shape] = {"json": _line, "console": _columns}
