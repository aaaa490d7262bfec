"""List the parts of a process that an upgrade hands over (worker, HTTP server, chat records, Omegle clients, college checks, rate limits). The old
and the new process use the same list.
"""

from dataclasses import dataclass

from server.fleet.migrate.migration_counts import MigrationCounts
from server.http.request.reactor_handoff import Door
from server.ops.security.token_buckets import BucketRegistry
from server.realtime.worker.recorder import Recorder
from server.realtime.worker.session_moves import SessionMoves
from server.realtime.worker.worker_loop import Worker
from server.site.college.routes import CollegeState
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.trust.moderation_protocol import Safety


@dataclass(frozen=True, slots=True)
class UpgradeParts:
    """Running parts of one process. None: this deployment has no such part."""

    worker: Worker
    moving: SessionMoves
    door: Door
    tally: MigrationCounts
    recorder: Recorder | None = None
    adapter: OmegleAdapter | None = None
    desk: CollegeState | None = None
    spent: BucketRegistry | None = None
    safety: Safety | None = None
