"""Define the functions (ports) through which a server's parts reach the other processes of its host, such as the hub. In a server of a single
process they do nothing (`ALONE`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.core.ports import Seats
from engine.rooms.remote_waiting_room import RemoteRoom
from server.http.request.host_forwarding import HostForwarding
from server.http.request.match_wait_estimate import WaitHistogram
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts
from server.trust.moderation_protocol import PicturesOfChats
from server.trust.moderators.live_operations import Answered

AskLive = Callable[[Mapping[str, Any]], Awaitable[Sequence[Answered]]]


def ignore(*_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class OtherProcesses:
    """The ports of one server to other processes, as functions. `on_…` is called with an event that concerns users of the others."""

    worker: WorkerPorts = NO_PORTS  # those of the worker that lead to other processes
    make_room: Callable[[Seats], RemoteRoom] | None = (
        None  # makes the hub's waiting room; None: users wait in this process
    )
    find_waits: Callable[[], Mapping[str, WaitHistogram]] | None = None  # how long users waited, in all processes
    find_passing: Callable[[], HostForwarding | None] = lambda: None  # the way to other hosts
    find_pictures: Callable[[], PicturesOfChats | None] = lambda: (
        None
    )  # pictures of cameras, of all hosts; None: this host's
    on_age: Callable[[int, str, int], None] = ignore  # as `WorkerPorts.on_age`
    on_detection: Callable[[int, str, int], None] = ignore  # as `WorkerPorts.on_detection`
    on_weighed: Callable[[int, int, int], None] = ignore  # as `SafetyPorts.on_weighed`
    on_minor: Callable[[int], None] = ignore  # as `SafetyPorts.on_minor`
    on_decision: Callable[[], None] = ignore  # as `SafetyPorts.on_decision`
    on_pause: Callable[[int, float], None] = ignore  # an identity has no video for so many seconds
    on_picture: Callable[[str, str], None] = ignore  # what is known of the picture of a nonce
    on_picture_interval: Callable[[float, bool], None] = (
        ignore  # seconds between two looks at cameras, and whether pictures can be checked
    )
    ask_live: AskLive | None = (
        None  # sends an operator's request to all processes and hosts; None: there is this process alone
    )
    tell_live: Callable[[Mapping[str, Any]], None] = (
        ignore  # the same for the other processes of this host, without an answer
    )
    on_migrated_save: Callable[[int, str | None, str, float], None] = ignore  # as `Recorder`


ALONE: Final = OtherProcesses()
