"""Move groups of sessions out of this process, to another process of this host or to another host. Every migration (upgrade, drain, evacuation,
match with a user elsewhere, resume elsewhere) calls `Exports.transfer(ids, target, cause)`.

**Invariant:** `TABLE` names the one owner after each failure (death of a side, end of the connection, silence). A transfer ends once: the target
has the sessions, or they are put back here, or they are dropped.
"""

import os
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, Protocol

from engine.engine import BadRecord, Session
from engine.rooms.remote_waiting_room import Row
from server.fleet.migrate import omegle_records
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.migration_counts import MigrationCounts
from server.ops import log
from server.ops.metrics.migration_metrics import DESCRIPTOR
from server.ops.process import fault_points
from server.realtime.worker.session_moves import Released, SessionMoves
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.omegle_adapter import OmegleAdapter

logger = log.get()


class Owner(Enum):
    """Process that has what moves. UNKNOWN: the source cannot know; a cut decides for the source, and the target's copy ends."""

    SOURCE = auto()
    TARGET = auto()
    UNKNOWN = auto()


class Stage(Enum):
    """Progress of one transfer; from TAKEN on it has ended."""

    RELEASED = auto()
    SENT = auto()
    GOING = auto()
    TAKEN = auto()
    REFUSED = auto()
    BACK = auto()
    DOUBTFUL = auto()


class Rule(NamedTuple):
    """One row of `TABLE`. `cut`: the stage after a cut; None: a cut changes nothing, the transfer has ended. `result`: as it is counted."""

    owner: Owner
    cut: Stage | None = None
    result: str = ""


TABLE: Final = {
    Stage.RELEASED: Rule(Owner.SOURCE, Stage.BACK),
    Stage.SENT: Rule(Owner.SOURCE, Stage.BACK),
    Stage.GOING: Rule(Owner.UNKNOWN, Stage.DOUBTFUL),
    Stage.TAKEN: Rule(Owner.TARGET, result="given"),
    Stage.REFUSED: Rule(Owner.SOURCE, result="refused"),
    Stage.BACK: Rule(Owner.SOURCE, result="back"),
    Stage.DOUBTFUL: Rule(Owner.SOURCE, result="back"),
}


class CannotMoveError(Exception):
    """The target takes no such group now; nothing was sent."""


def ended() -> None:
    """Put nothing back: the transfer has ended."""


class Transfer:
    """One thing that leaves this process. `put_back` makes it this process's again; `descriptors` are closed here once the target has it."""

    people = 0  # sessions in it

    def __init__(self, put_back: Callable[[], object], descriptors: Sequence[int] = ()) -> None:
        self.stage = Stage.RELEASED
        self.descriptors = descriptors
        self._put_back = put_back

    def sent(self) -> None:
        """Note that the message was written."""
        self.stage = Stage.SENT

    def go(self) -> None:
        """Note that the target holds it, and gets leave to have it (GO)."""
        self.stage = Stage.GOING

    def take(self) -> None:
        """The target acknowledged it."""
        self._end(Stage.TAKEN)

    def refuse(self) -> None:
        """The target refused it."""
        self._end(Stage.REFUSED)

    def cut(self) -> None:
        """The target died, or the connection to it ended or is silent for too long."""
        after = TABLE[self.stage].cut
        if after is not None:
            self._end(after)

    def _end(self, stage: Stage) -> None:
        self.stage = stage
        put_back, self._put_back = self._put_back, ended  # a method of its own would make it a cycle
        if stage != Stage.TAKEN:
            put_back()
            return
        for descriptor in self.descriptors:
            try:  # noqa: SIM105 - `suppress` costs more than all else here
                os.close(descriptor)
            except OSError:
                pass


class GroupTransfer(Transfer):
    """A group of sessions that leaves this process.

    `since`: monotonic seconds, out of service since; `meetings`: the match for which each session moves, in the order of the record (None: it
    resumes there), empty if they move because this process ends; `left`: sessions that are still here; `came`: those that were put back.
    """

    def __init__(self, exports: "Exports", sessions: Released, cause: str, since: float) -> None:
        super().__init__(self._return)
        self._exports = exports
        self.sessions = sessions
        self.cause = cause
        self.since = since
        self.meetings: Sequence[Row | None] = ()
        self.way = DESCRIPTOR
        self.people = len(sessions.descriptors)
        self.left = len(exports.worker.engine.sessions)
        self.came: list[Session] = []
        self.on_end: Callable[[GroupTransfer], object] = unheard
        self.put_back: Callable[[GroupTransfer], list[Session]] = exports.put_back
        self._to = ""
        self._keys: tuple[int, ...] = ()

    def begin(self, to: str) -> None:
        """Let requests for these sessions wait until the transfer ends. `to`: name of the target's process."""
        if self._exports.forwarding is not None:
            self._to = to
            self._keys = self._exports.forwarding.sent(self.sessions.session_record.record["people"])

    def _return(self) -> None:
        self.came = self.put_back(self)

    def _end(self, stage: Stage) -> None:
        reached = self.stage != Stage.RELEASED
        super()._end(stage)
        exports = self._exports
        if self._keys and exports.forwarding is not None:
            exports.forwarding.ended(self._keys, self._to if stage == Stage.TAKEN else None)
        if reached:
            exports.tally.went(self.cause, self.way, TABLE[stage].result, self.people)
        self.on_end(self)


class Target(Protocol):
    """Takes groups of sessions: a process, or one of several."""

    def send(self, transfer: GroupTransfer) -> None:
        """Send a group, and end the transfer when its fate is known. Raises LinkDown or CannotMoveError: nothing was sent."""

    async def room(self) -> None:
        """Wait until another group may be sent. Raises LinkDown."""


def unheard(_: GroupTransfer) -> None:
    """Tell nothing."""


class Exports:
    """Way out of one process, for groups of its sessions. `forwarding`: None where no other process asks for sessions meanwhile.

    A target is a process of this host (it gets the descriptors: `session_sender`), a process of another host (the connection becomes a tunnel:
    `roaming.migration_source`), or another host without the connections (each client gets the time to return: `roaming.evacuation`). The caller
    chooses groups, order and target. A stage never returns to an earlier one.

        stage      the last message                         owner                     after a cut
        RELEASED   none                                     source                    BACK
        SENT       the group (PEOPLE, MEET, COME; MOVE)     source                    BACK
        GOING      hosts alone: GO                          the target if it read GO  DOUBTFUL
        TAKEN      the acknowledgement                      target                    -
        REFUSED    the refusal                              source: put back          -
        BACK       -                                        source: put back          -
        DOUBTFUL   -                                        source: put back, and the target must forget its copy (`stale_copies`);
                                                            sessions that only resume are dropped: their client finds the session by itself

    Within a host a cut is certain: a process counts as dead when the kernel or the supervisor says so, and all that it wrote was read first.
    """

    def __init__(
        self,
        worker: Worker,
        moving: SessionMoves,
        tally: MigrationCounts,
        adapter: OmegleAdapter | None = None,
        forwarding: ForwardingTable | None = None,
    ) -> None:
        self.worker = worker
        self.moving = moving
        self.tally = tally
        self.adapter = adapter
        self.forwarding = forwarding

    def transfer(
        self,
        ids: Sequence[int],
        target: Target,
        cause: str,
        on_end: Callable[[GroupTransfer], object] = unheard,
        meetings: Sequence[Row | None] = (),
        near: bool = False,
    ) -> bool:
        """Release these sessions and send them to a target; False: they cannot move now, and are here. Raises LinkDown: the same.

        `meetings`: see `GroupTransfer`, in the order of `ids`; `near`: the target is of this release.
        """
        if not omegle_records.ready(self.adapter, ids):
            return False
        since = time.monotonic()
        released = self.moving.release(ids, near)
        if released is None:
            return False
        fault_points.at("release")
        omegle_records.pack(self.adapter, released.session_record)
        transfer = GroupTransfer(self, released, cause, since)
        transfer.meetings, transfer.on_end = meetings, on_end
        try:
            target.send(transfer)
        except CannotMoveError:
            transfer.cut()
            return False
        except BaseException:
            transfer.cut()
            raise
        fault_points.at("sent")
        return True

    def put_back(self, transfer: GroupTransfer) -> list[Session]:
        """Put a group back; its sessions, which are this process's again. None: a copy of them came back here, and their clients find that."""
        try:
            came = self.moving.take(*transfer.sessions)
        except BadRecord as bad:
            logger.error("migration.refused", people=transfer.people, **log.described(bad))
            for descriptor in transfer.sessions.descriptors:
                if descriptor >= 0:
                    os.close(descriptor)
            return []
        omegle_records.unpack(self.adapter, transfer.sessions.session_record, came)
        return came
