"""Make a worker from the settings: its reactor (sockets), its engine (chats), and the server's functions that the engine calls.

**Invariant:** nothing is started here, and no library of the store or the pages is loaded, because each worker process would hold it in memory.
"""

import time
from collections.abc import Callable
from typing import Any

from engine.core.ports import Bus, Out, Outside, Seats
from engine.engine import Engine, Thresholds
from engine.engine import Settings as Rules
from engine.rooms.remote_waiting_room import RemoteRoom
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.ops.config.settings import Settings
from server.ops.health.overload import OverloadGate
from server.ops.process import process_setup
from server.ops.process.cpu_time import core_share
from server.ops.security import college_proofs, report_receipt_url, secret_keys
from server.ops.security.avoid_tokens import AvoidTokens
from server.ops.security.identity_cookie import Identities
from server.ops.security.pair_tokens import PairTokens, never_banned
from server.ops.security.resume_tokens import Tokens
from server.realtime.video.ice_servers import IceServers
from server.realtime.video.signal_scrub import scrub
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts
from server.realtime.worker.worker_loop import Worker
from server.trust.challenge.session_challenges import SessionChallenges
from server.trust.pictures.picture_nonces import are_pictures_possible
from server.trust.reports.help_lines import Help


def make_worker(
    settings: Settings, secret: secret_keys.Keys, judge: Judge, addresses: Addresses, ice: IceServers, helped: Help,
    asking: SessionChallenges, paused: Callable[[int, float], None],
    make_room: Callable[[Seats], RemoteRoom] | None = None, ports: WorkerPorts = NO_PORTS,
) -> Worker:  # fmt: skip
    """Make the reactor and the engine by the settings. Call it in the loop.

    `paused`: called with an identity whose video is off, and for how many seconds; `make_room`: makes the waiting room, if it is not in this process.
    """
    limits = settings.limits
    now = time.monotonic()
    reactor = Reactor(
        judge=judge, addresses=addresses, now=now, wall=time.time() - now, limits=limits.enabled,
        descriptors=process_setup.raise_descriptors(),
    )  # fmt: skip
    rings = Rings(int(settings.chat.memory))
    rules, thresholds = rules_of(settings)

    def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
        if make_room is not None:
            return Engine.of_hub(make_room, rings, outside, out, bus, rules, keeps=settings.store.enabled)
        return Engine.build(
            rings,
            outside,
            out,
            bus,
            rules,
            keeps=settings.store.enabled,
            thresholds=thresholds,
        )

    outside = {**outside_of(settings, secret, ice, helped, asking, ports.last_ban), "publish_pause": paused}
    worker = Worker(
        reactor, make_engine, outside, Tokens(secret),
        Identities(secret.lasting[secret_keys.Purpose.COOKIE]), settings.session.grace,
        crowding=OverloadGate(core_share()), ports=ports,
    )  # fmt: skip
    asking.begin(worker)
    return worker


def rules_of(settings: Settings) -> tuple[Rules, Thresholds]:
    """Return the engine's rules and the matcher's thresholds by the settings."""
    limits, matching, chosen, pictures = settings.limits, settings.matching, settings.challenge, settings.pictures
    rules = Rules(
        grace=settings.session.grace, require_adult=settings.safety.require_adult, limits=limits.enabled,
        video=settings.video.enabled, screening=settings.screening.text != "off", tips=settings.screening.tips,
        turn=bool(settings.video.turn),
        pictures=pictures.mode if are_pictures_possible(settings) else "off", snap_mean=pictures.mean, snap_share=pictures.share,
        snaps_required=pictures.require, snap_programs=pictures.omegle == "allow", veil=pictures.auto,
        sends=pictures.offered(settings.store.enabled),
        challenges=limits.enabled and chosen.enabled, challenge_first=chosen.first, challenge_good_for=chosen.good_for,
    )  # fmt: skip
    thresholds = Thresholds(
        any_after=matching.any_after, anyone_after=matching.anyone_after, window=matching.window,
        busy_window=matching.busy_window, near=matching.near,
        peak=matching.peak, falls=matching.falls, falls_for=matching.falls_for,
    )  # fmt: skip
    return rules, thresholds


def outside_of(
    settings: Settings,
    secret: secret_keys.Keys,
    ice: IceServers,
    helped: Help,
    asking: SessionChallenges,
    last_ban: Callable[[int], int] = never_banned,
) -> dict[str, Any]:
    """Return the functions of the server that the engine calls, by the names in `engine.core.ports.Outside`. `last_ban`: see `WorkerPorts`."""
    avoid, pairs = AvoidTokens(secret), PairTokens(secret, last_ban)
    outside: dict[str, Any] = {
        "ice_servers": ice.servers,
        "scrub": scrub,
        "make_avoid": avoid.make,
        "open_avoid": avoid.open,
        "make_pair": pairs.make,
        "open_pairs": pairs.open,
    }
    outside["help_lines"] = lambda session: helped.of(session.address)
    outside |= {"make_challenge": asking.ask, "check_answer": asking.check, "unix_time": lambda: int(time.time())}
    outside["report_facts"] = helped.facts(settings.retention.days if settings.store.enabled else 0)
    if settings.store.enabled:
        outside["make_receipt_url"] = report_receipt_url.draw
    college = college_proofs.make_proofs(settings, secret)
    if college is not None:
        outside["open_proof"] = lambda proof, _: college.open(proof)
    return outside
