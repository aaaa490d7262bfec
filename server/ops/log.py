"""Write log events to standard error, one JSON object per line; EVENTS declares every event and its fields.

**Invariant:** an event holds neither text of a user nor an address, and an exception is logged by type and place, without its text. Writing never
blocks.
"""

# An undeclared event or field raises UndeclaredEventError if `strict` is set (tests); otherwise it is dropped and counted. Writing:
# `server.ops.process.log_writer_thread`.

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
from server.ops.process.log_writer_thread import LogSink
from server.ops.process.optional_dependency_filter import structlog

# Every event and its fields; a field that holds personal data has an entry in the privacy registry as well.
EVENTS: Mapping[str, frozenset[str]] = {
    event: frozenset(fields.split())
    for event, fields in {
        "peer.fell": "name why",  # a link between two processes ended
        "process.died": "process status why",  # a process of this host died; a negative status is the number of a signal
        "process.killed": "process why",  # a stopping process did not end within `server.drain` and five seconds, and was killed
        "process.unended": "process what where",  # told to stop, it has not ended at its limit: a task or thread that runs, by its places in the code
        "process.hung": "process seconds starved state",  # killed: it used this many seconds of CPU time without a heartbeat; state: as in `ps`
        "process.stack": "process what where",  # a process that hung or crashed: one of its threads, by its places in the code
        "process.starved": "process seconds",  # it waited this long for a core, of the last minute or of a silence: the machine is short of CPU
        "process.leaving": "process people",  # a worker was told to end and is draining: its sessions migrate to the other workers
        "process.left": "process people stayed seconds",  # the worker is drained, but for `stayed` sessions, whose clients have to reconnect
        "host.leaving": "hosts",  # an operator's `drain`: this host is evacuated to this many other hosts
        # this many sessions are at other hosts as this one ends; the other clients have to reconnect
        "host.left": "process people stayed seconds",
        "process.ready": "process pid",
        "process.stopped": "process",
        "library": "logger error where",  # a warning or error of a library, by the logger's name
        "loop.fault": "error where said",  # an exception that no task awaited, or what else the event loop complains of, and which task
        "translation.failed": "cause",  # LibreTranslate does not translate: denied, refused, slow, away, malformed; once a minute
        "nats.away": "said",  # this host of a cluster has no connection, and serves its own users
        "nats.close_failed": "said",  # closing an abandoned connection failed
        "nats.connected": "said",  # the address of the server
        "cluster.room": "said",  # the node that has the shared waiting room from now on
        "nats.silent": "",  # the connection delivers nothing, and is reopened
        "nats.trouble": "said",  # the server refused an operation, or closed the connection
        "cluster.clock_off": "said",  # the node whose clock differs too much from this one's to be trusted
        "cluster.fault": "error where",  # another host's request failed because of a fault in this program
        "cluster.key_missing": "epoch said",  # the key of this epoch is at another host and was not received; records from its beginning on wait
        "cluster.key_there": "epoch",  # the key is available: made here, or received from another host
        "cluster.stayed": "why said",  # sessions did not migrate to another host: it refused them, or did not answer in time; once a minute
        "cluster.not_passed": "said",  # a request for another host was not delivered to it; once a minute
        "cluster.refused": "why",  # a client of the cluster port was refused; at most one event a minute for each reason
        "college.mail_failed": "error where",  # a mail with a code was given up; never its recipient
        "challenge.fault": "error where",  # a challenge could not be made or checked; the user's next search is given another
        "challenge.unchecked": "cause",  # the captcha provider does not verify answers: denied, refused, slow, away, malformed; once a minute
        "config.changed": "setting",  # SIGHUP: this setting was applied
        "config.refused": "setting",  # SIGHUP: this setting is wrong, and nothing was applied
        "config.restart": "setting",  # SIGHUP: this setting changed and needs a restart
        "console.origin_unkept": "error",  # commands may print another address of the console than the one that is served
        "console.port_failed": "host port error",  # the address is not this machine's, or only root may open the port
        "console.port_taken": "host port",  # the port is in use; the service continues without a console
        "console.ready": "host port",
        "console.refused": "why",  # a passkey was not accepted; never its owner
        "control.unavailable": "error",  # the server continues, and cannot be upgraded without a stop
        "upgrade.begun": "online pid",  # the new generation is ready: sessions migrate to it from now on
        "upgrade.cut": "why people chats",  # the old process died during the migration; the sessions that it had sent are here
        "upgrade.ended": "people chats stayed seconds",  # logged by the old process: all sessions have migrated
        "upgrade.failed": "why people back",  # all sessions are back here, but for those that had migrated to the process that died
        "migration.fault": "error where",  # a migration failed because of a fault in this program
        "migration.refused": "people error where",  # a session record that the new process cannot read: its sessions stay in the old process
        "upgrade.taken": "people chats skipped seconds",  # logged by the new process; fields of a newer version were skipped
        "upgrade.unknown": "kind",  # a message kind of a newer version, skipped
        "http.fault": "error where",  # a request failed because of a fault in this program
        "log.dropped": "count error",  # lines that standard error did not accept; logged with the next line that it accepts
        "metrics.ready": "host port",
        "metrics.port_failed": "host port error",  # the address is not this machine's, or only root may open the port
        "metrics.port_taken": "host port",  # the port is in use; the service continues without metrics
        "notify.failed": "error where",  # systemd could not be notified
        "page.unkept": "error where",  # this version's files could not be saved for the next version
        "page.unreadable": "error where",  # an earlier version's files; damaged ones are deleted
        "relayed.ready": "host port",  # the port for reports of TURN servers is open
        "relayed.port_taken": "host port",  # the port is in use; calls continue, relayed traffic is not counted
        "setup.notice": "check said remedy",  # not a problem, but an operator has to know it
        "setup.warning": "check said remedy",  # a finding of `serendip check` about the settings, the data folder or limits
        "store.away": "what cause error where",  # records wait or saves are refused, and why; chats continue
        "store.back": "what",
        "store.opened": "seconds",
        "store.backup_failed": "said error where",  # the backup by schedule, or its ledger, was not written; it is tried again
        "store.backup_made": "seconds count",  # by schedule; count: objects in it
        "store.ledger_changed": "said",  # another program changed the ledger beside the backups; it is mended
        "store.bucket_versioned": "",  # deleted objects remain as old versions
        "store.full": "",  # the free space of the disk is below its floor: no chat is saved
        "store.statistics_lost": "count",  # chats that were counted and not written at the stop: the database is away
        "store.room": "",  # it is above the floor again
        "store.countries_damaged": "error where",  # some addresses have no country
        "store.keys_differ": "error where",  # another host writes with other keys than this one
        "store.set_back": "error where",  # the database was restored by other means and is older than the copies of its non-restorable state
        "workers.log_left": "error where",  # a saved chat whose link was never delivered could not be deleted
        "store.lost": "count",  # records that still waited at the stop, or that a worker could not send to the frontend
        "rights.digest_failed": "error",  # the weekly letter to the owner was not taken by the mail server; it is sent again in an hour
        "rights.recipient_failed": "recipient",  # a recipient could not be told of a deletion for 30 days
        "rights.recipient_not_told": "recipient state tries",  # refused: it answered so; waiting: it is away. It is tried again
        "safety.figures_stale": "error where",  # the metrics of moderation could not be read again
        "safety.minors_wait": "error where",  # stored data of a user under 18 could not be deleted yet, and the deletion is retried
        "safety.bans_stale": "error where",  # the bans could not be read again; the known ones stay in force. Once until a read succeeds
        "safety.unattended": "queues",  # no account with a passkey opens these queues; the page says that it is not certain that reports are read
        "safety.apart_later": "error where",  # pictures of a case could not be moved to their folder yet; the move is retried when the case is opened
        "safety.pictures_lost": "count",  # too many pictures wait for the store: this report is stored without them
        "safety.report_lost": "count error where",  # a report is not in the store and will not be
        "operator.ordered": "action",  # an operator's order about what runs now: sessions, announcements, maintenance, log levels
        "operator.unaudited": "action",  # the database is away: this order of no single user, or the outcome of another, is in no audit log
        "pictures.ended": "status",  # the picture process ended, and is restarted; a negative status is the number of a signal
        "pictures.fault": "error where",  # the fault that ended it; never a picture
        "pictures.list_refused": "name",  # this line of a list of known pictures could not be read; the other lines are used
        "pictures.ready": "count",  # the picture process accepts pictures; count: how many are known
        "pictures.stuck": "",  # it did not answer in time, and was killed
        "pictures.unchecked": "cause",  # the server that scores pictures does not answer: denied, refused, slow, away, malformed; once a minute
        "pictures.unconfined": "what",  # this system does not let the process drop a privilege: user, mdwe, syscalls:CAUSE
        "pictures.unreadable": "error where",  # its output was not a message
        "provider.ended": "status cause",  # the provider of text ended, and is started again; cause: ended, flood, malformed, late, unjailed, other
        "provider.fault": "error where",  # the fault of the provider process; never a text
        "provider.ready": "",  # the provider of text answers
        "provider.refused": "reason",  # its program cannot be started or jailed
        "provider.unconfined": "what",  # this system does not let it or its process drop a privilege: user, mdwe, syscalls:CAUSE
        "provider.unreadable": "error where",  # a message of the provider process was invalid
        "screening.ended": "status",  # the screening process ended, and is restarted; a negative status is the number of a signal
        "screening.fault": "error where",  # the fault that ended it; never a text
        "screening.unconfined": "what",  # this system does not let the process drop a privilege: syscalls:CAUSE
        "screening.unreadable": "error where",  # its output was not a message
        "screening.model_refused": "reason",  # the file of the text model is invalid or missing; rules are applied without it
        "screening.rules_unkept": "reason",  # the compiled rules are in no file of the data folder: each process compiles its own
        "screening.rules_refused": "name",  # this file of rules is invalid; `serendip safety rules check` says why
        "store.purge_failed": "cause error where",
        "server.ready": "host port version pid descriptors",  # the server accepts connections
        "server.crowded": "",  # newcomers are refused, all but a share: the loop is late because of its own work
        "server.crowded_over": "count",  # the number of newcomers refused
        "server.short": "",  # newcomers are refused: no descriptor or no memory is left for them
        "server.short_over": "count",  # the number of newcomers refused
        "server.stopped": "",
        "server.stopping": "online",  # SIGTERM or SIGINT was received
        "task.unended": "task where",  # a background task was cancelled twice and runs on; its process ends without it
        "task.failed": "task error where",  # a background task ended by a fault and is restarted
        "worker.fault": "error where",  # an event failed because of a fault in this program; its connection was closed with 1011
    }.items()
}
LONGEST = 200  # characters of a text field; a path or a place in the code is shorter
# Messages of asyncio and uvloop about writes to a lost connection; its owner learns of the loss by itself.
WRITES_TO_LOST = frozenset({"socket.send() raised exception.", "SSL connection is closed"})
OWN = frozenset({"event", "level", "time"})

undeclared: Counter[str] = Counter()  # undeclared events and fields by name, for the metrics


_LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
DEFAULT = "default"  # a level: that of the settings
ALL = "all"  # all groups that have no level of their own
_settings: Log | None = None  # as last configured
_strict = False
_chosen: dict[str, str] = {}  # levels that an operator chose while the process runs, by group; ALL: of the others


class BadLevel(ValueError):
    """An unknown group of events, or an unknown level; the text lists those that exist."""


class UndeclaredEventError(Exception):
    """A log call names an event or a field that is not in EVENTS."""


def configure(settings: Log, strict: bool = False) -> None:
    """Configure structlog and the standard library's logging to write declared events to standard error. May be called again."""
    global _settings, _strict
    _settings, _strict = settings, strict
    shape = SHAPES[settings.format]
    _Lines.shape = shape
    general = _chosen.get(ALL, settings.level.lower())
    least = min([general, *_chosen.values()], key=lambda level: _LEVELS.get(level, logging.CRITICAL))
    groups = [_of_group] if _chosen else []
    structlog.configure(
        processors=[structlog.processors.add_log_level, *groups, Declared(strict), _stamp, shape],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, least.upper())),
        logger_factory=_Lines,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[Libraries()], level=logging.WARNING, force=True)


def set_level(group: str, level: str) -> None:
    """Set the level of a group of events (the part of their names before the dot, or ALL) until the process ends; DEFAULT: as the settings say.

    Raises BadLevel. Call it after `configure`.
    """
    groups = sorted({event.split(".")[0] for event in EVENTS})
    if group != ALL and group not in groups:
        raise BadLevel(f"{group}: there is no such group of events; they are {ALL}, {', '.join(groups)}")
    if level != DEFAULT and level not in _LEVELS:
        raise BadLevel(f"{level}: there is no such level; they are {', '.join(_LEVELS)} and {DEFAULT}")
    if level == DEFAULT:
        _chosen.pop(group, None)
    else:
        _chosen[group] = level
    if _settings is not None:
        configure(_settings, _strict)


def _of_group(_: object, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor that drops events below the level of their group."""
    general = _chosen.get(ALL) or (_settings.level.lower() if _settings is not None else "info")
    least = _chosen.get(str(fields["event"]).split(".")[0], general)
    if _LEVELS.get(fields["level"], logging.CRITICAL) < _LEVELS.get(least, logging.INFO):
        raise structlog.DropEvent
    return fields


def get() -> structlog.typing.FilteringBoundLogger:
    """Return a module's logger: `log = get()`, then `log.info("metrics.ready", host=..., port=...)`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def described(error: BaseException) -> dict[str, str]:
    """Return the log fields of an exception: the type of its root cause, and the places in the code, innermost first. Its text may quote a user."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    first = error
    while isinstance(first.__cause__, Exception):  # a cancellation is how a time-out works, not its cause
        first = first.__cause__
    return {"error": type(first).__qualname__, "where": where}


def loop_fault(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log an exception of the event loop that no task handled, or its complaint without one (`loop.set_exception_handler`)."""
    error, task = context.get("exception"), context.get("task")
    named = f" ({getattr(task.get_coro(), '__qualname__', '')})" if isinstance(task, asyncio.Task) else ""
    get().error("loop.fault", **(described(error) if error else {"said": f"{context.get('message')}{named}"}))


class Declared:
    """Structlog processor that passes declared events and fields and drops or refuses the others."""

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
    """Logging handler that turns a library's record into a `library` event: logger and error type, not the text, which may hold personal data."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        emit = get().error if record.levelno >= logging.ERROR else get().warning
        if record.msg in WRITES_TO_LOST:
            emit = get().debug
        place = {"where": f"{record.filename}:{record.lineno}"}
        emit("library", logger=record.name, **(described(error) if error else place))


class _Lines:
    """Structlog logger that hands formatted lines to the sink."""

    shape: "Shape"

    def __init__(self, *_: object) -> None: ...

    def msg(self, line: bytes) -> None:
        """Hand a line to the sink; never blocks, never raises."""
        sink().write(line + b"\n")

    debug = info = warning = error = critical = msg


@cache
def sink() -> LogSink:
    """Return the sink of standard error, made at the first call; lines that wait at the end of the process have one second to be written."""
    made = LogSink(2, _missing)
    atexit.register(made.close)
    return made


def renew() -> None:
    """Make a new sink in a forked process, which has no writer thread."""
    sink.cache_clear()


def _missing(count: int, error: str) -> bytes:
    """Format the event that reports dropped lines."""
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
