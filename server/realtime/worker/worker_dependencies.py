"""Define the functions (ports) through which a worker reaches the rest of its process: store, moderation, HTTP, other processes. They are passed to
its constructor.

**Invariant:** a function that is not given answers as if its service were empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.core.ports import never_moved, no_end_of_pictures, no_pictures, no_upload_key, no_withdrawal
from server.ops.security.pair_tokens import never_banned
from server.realtime.worker.tunnel_interface import NO_TUNNELS, TunnelPort


def no_ban(_identity: int, _address: str) -> tuple[bytes, bytes] | None:
    """Return no ban."""
    return None


def no_notice(_identity: int, _session: int) -> tuple[str, bytes] | None:
    """Return no notice."""
    return None


def no_statement() -> Mapping[str, Any] | None:
    """Return no privacy statement."""
    return None


def no_service() -> bytes | None:
    """Return no frame."""
    return None


def never_given(_identity: int, _session: int, _id: str) -> bool:
    """Return that the notice was not given to this user."""
    return False


def no_tunnels() -> TunnelPort:
    """Return an empty table: no session of a client of this host is at another host."""
    return NO_TUNNELS


def ignore(*_: Any) -> None:
    """Do nothing."""


def every_country(_address: str) -> bytes | None:
    """Refuse no country."""
    return None


@dataclass(frozen=True)
class WorkerPorts:
    """The collaborators of one worker, as functions. None of them blocks."""

    # the store: the closing error and the case of the ban of (identity, 0: none; address); None: not banned
    find_ban: Callable[[int, str], tuple[bytes, bytes] | None] = no_ban
    # when the last ban of an identity began, in force or over, in Unix seconds; 0: none is known
    last_ban: Callable[[int], int] = never_banned
    # the closing error of a user whose country is refused, by address; None: served
    find_country_refusal: Callable[[str], bytes | None] = every_country
    # id and frame of the oldest notice that (identity, session) has not read
    find_notice: Callable[[int, int], tuple[str, bytes] | None] = no_notice
    # (identity, session) read the notice of this id; False: it was not theirs
    mark_notice_read: Callable[[int, int, str], bool] = never_given
    # the newest privacy statement, for `hello`
    find_statement: Callable[[], Mapping[str, Any] | None] = no_statement
    # the frame `service` for a new client: what operators say to all users; None: nothing
    find_service: Callable[[], bytes | None] = no_service
    # take a record, a save or a report of the engine (`Recorder.take`)
    keep: Callable[[Any], None] = ignore
    # a session left for another host, which asks for its saves again
    forget_saves: Callable[[int], None] = ignore
    # HTTP: a connection that asked for something else than `/ws`: connection, bytes so far, time
    on_http: Callable[[int, bytes, float], None] = ignore
    # frames for a virtual connection, whose client speaks another protocol
    on_frames: Callable[[int, list[bytes | int]], None] = ignore
    # pictures: a nonce for each of these sides of a chat; none: cameras cannot be looked at now
    request_pictures: Callable[[str, tuple[int, ...]], tuple[str, ...]] = no_pictures
    # a key under which a side of a chat can upload a picture for its partner; none: none are taken
    make_upload_key: Callable[[str, int], str] = no_upload_key
    # a chat with such pictures ended
    end_pictures: Callable[[str], None] = no_end_of_pictures
    # such a picture is not shown
    withdraw_picture: Callable[[str], None] = no_withdrawal
    # a user of this process wrote an age: identity, state (see `engine.conduct.age_answers`), age
    on_age: Callable[[int, str, int], None] = ignore
    # a detection of a user of this process counts for a day: identity, class, chat (`engine.conduct.daily_detections`)
    on_detection: Callable[[int, str, int], None] = ignore
    # other processes: whether one of them may have the session of a token's key; then it is looked up
    is_elsewhere: Callable[[int], bool] = never_moved
    # whether one of them may have resumed the session of this id, which is here
    is_doubted: Callable[[int], bool] = never_moved
    # a turn is over: what it has for other processes is sent now
    on_turn: Callable[[], None] = ignore
    # what the host of a visitor's connection knows of the session may have changed
    on_visitor: Callable[[int], None] = ignore
    # the clients of this host whose sessions are at other hosts
    find_tunnels: Callable[[], TunnelPort] = no_tunnels


NO_PORTS: Final = WorkerPorts()
