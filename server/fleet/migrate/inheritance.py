"""What a process has that its successor goes on with. Rule: named here once, for who gives it and for who takes it."""

from dataclasses import dataclass

from server.college.routes import Desk
from server.handover.tally import Tally
from server.http.door import Door
from server.omegle.adapter import Adapter
from server.safety.interface import Safety
from server.security.buckets import Tables
from server.worker.moving import Moving
from server.worker.recorder import Recorder
from server.worker.worker import Worker


@dataclass(frozen=True, slots=True)
class Belongings:
    """The running parts. None: this deployment has none."""

    worker: Worker
    moving: Moving
    door: Door
    tally: Tally
    recorder: Recorder | None = None
    adapter: Adapter | None = None
    desk: Desk | None = None
    spent: Tables | None = None
    safety: Safety | None = None
