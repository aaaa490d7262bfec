"""Make the parts of a process that admit clients and hold their sessions: handshake, limits per address, challenges, and the worker. It loads
neither web pages nor the store.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Final

from engine.core.ports import Seats
from engine.rooms.remote_waiting_room import RemoteRoom
from engine.wire.protocol import MINOR
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.data.records.address_country import Countries
from server.main.parts.worker_parts import make_worker
from server.ops.config.settings import Settings
from server.ops.health.service_state import ServiceState
from server.ops.process import shared_address_table
from server.ops.process.listening_sockets import StartError
from server.ops.security import secret_keys
from server.ops.security.routable_ids import HostHints
from server.realtime.video.ice_servers import IceServers, turn_secret
from server.realtime.worker.country_gate import CountryGate
from server.realtime.worker.known_client_cookies import ReturningClients
from server.realtime.worker.live_sessions import LiveSessions
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts
from server.trust.challenge.altcha_puzzles import Puzzles
from server.trust.challenge.session_challenges import SessionChallenges
from server.trust.pictures.picture_nonces import Nonces, Sent, Upload, no_upload, nowhere
from server.trust.reports.help_lines import Help

# Video that is off: identity (or a person of this process only), seconds. Age state: identity (or person), state, age
# (`engine.conduct.age_answers`), seconds until it expires. Detection: identity (or person), class, chat, age in seconds
# (`engine.conduct.daily_detections`).
Row = Sequence[Any]


def ignore(*_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class ReceptionPorts:
    """The ports of a reception to the rest of its process."""

    worker: WorkerPorts = NO_PORTS
    make_room: Callable[[Seats], RemoteRoom] | None = None  # makes the waiting room; None: it is in this process
    on_pause: Callable[[int, float], None] = ignore  # an identity has no video for so many seconds
    on_look: Sent = nowhere  # pictures of cameras were asked for (chat, sides, nonces)
    on_upload: Upload = no_upload  # a key for a picture was made (chat, side, key); an empty key: the chat ended
    count_coming: Callable[[], int] = lambda: 0  # how many sessions an upgrade has yet to move here
    service_file: Path | None = None  # keeps what operators say to all users; None: another process keeps it


ALONE: Final = ReceptionPorts()


class Reception:
    """Admission and the worker of one process. Make it in the loop. Raises StartError.

    A server of one process has one; with several processes each worker and the frontend have one.
    """

    def __init__(
        self,
        settings: Settings,
        secret: secret_keys.Keys,
        counted: shared_address_table.CensusColumn | None = None,
        ports: ReceptionPorts = ALONE,
    ) -> None:
        """`counted`: shared counters of addresses; None: counted in this process only."""
        limits = settings.limits
        self.judge = Judge(hosts=(), origins=(), proxies=())
        self.addresses = Addresses(
            open_max=limits.connections,
            burst=limits.connect_burst,
            rate=limits.connect_rate,
            limits=limits.enabled,
            coming_max=limits.newcomers,
            host=counted.census if counted is not None else None,
            column=counted.column if counted is not None else 0,
        )
        self.ice = IceServers(settings.video, turn_secret(settings.video, secret))
        try:
            countries = Countries(settings.store.country_file)
            self.help = Help(settings.safety.help_file, countries.find)
        except ValueError as error:
            raise StartError(str(error)) from None
        self.countries = CountryGate(countries.find)
        self.asking = SessionChallenges(
            Puzzles(secret.derive(secret_keys.Purpose.CHALLENGE)), settings.challenge, limits=limits.enabled
        )
        self.places = HostHints(secret, settings.cluster.address if settings.cluster.nats else "")
        self.nonces = Nonces(ports.on_look, self.places.token, ports.on_upload)
        self.service = ServiceState(ports.service_file)
        self.worker = make_worker(
            settings, secret, self.judge, self.addresses, self.ice, self.help, self.asking, ports.on_pause,
            ports.make_room, replace(
                ports.worker, request_pictures=self.nonces.ask, make_upload_key=self.nonces.key,
                end_pictures=self.nonces.over,
                withdraw_picture=self.nonces.withdraw, find_country_refusal=self.countries.refusal,
                find_service=self.service.greeting,
            ),
        )  # fmt: skip
        self.live = LiveSessions(self.worker, countries.find, self.service, ports.count_coming)
        self.looked_at_every(0.0, False)
        self.addresses.known = ReturningClients(self.worker.identities, self.worker.engine)
        self.use(settings)

    def video_off(self, rows: Sequence[Row]) -> list[Row]:
        """Switch off the video of these identities for some seconds, as another process decided. Return the rows that are new here."""
        now, pauses = time.monotonic(), self.worker.engine.pauses
        news = [row for row in rows if row[1] > pauses.left(row[0], now) + 1.0]
        for identity, seconds in news:
            pauses.enter(identity, seconds, now)
        return news

    def all_off(self, most: int) -> Iterator[list[Row]]:
        """Yield all identities whose video is off, as rows, `most` at a time."""
        rows: list[Row] = list(self.worker.engine.pauses.rest(time.monotonic()))
        return (rows[at : at + most] for at in range(0, len(rows), most))

    def ages_said(self, rows: Sequence[Row]) -> list[Row]:
        """Store age states of users under 18, as another process sent them. Return the rows that are new here; sessions of minors are ended."""
        now, ages = time.monotonic(), self.worker.engine.ages
        news = []
        for row in rows:
            identity, stands, age, left = row
            known = ages.of(identity, now)
            if known is None or ((known.state, known.age) != (stands, age) and known.until < now + left):
                news.append(row)
                ages.enter(identity, [stands, age, left], now)
        if any(row[1] == MINOR for row in news):
            self.worker.look_again()
        return news

    def all_ages(self, most: int) -> Iterator[list[Row]]:
        """Yield all known age states, as rows, `most` at a time."""
        rows: list[Row] = [(person, *said) for person, said in self.worker.engine.ages.rest(time.monotonic())]
        return (rows[at : at + most] for at in range(0, len(rows), most))

    def count_detections(self, rows: Sequence[Row]) -> list[Row]:
        """Count detections of the last day, as another process sent them. Return the rows that are new here."""
        now, daily = time.monotonic(), self.worker.engine.daily
        return [row for row in rows if daily.enter(row[0], [row[1:]], now)]

    def all_detections(self, most: int) -> Iterator[list[Row]]:
        """Yield all detections of the last day, as rows, `most` at a time."""
        found = self.worker.engine.daily.rest(time.monotonic())
        rows: list[Row] = [(person, *row) for person, entry in found for row in entry]
        return (rows[at : at + most] for at in range(0, len(rows), most))

    def looked_at_every(self, mean: float, checked: bool = False) -> None:
        """Set the mean seconds between two looks at cameras in this process, 0: none; and whether pictures can be checked."""
        self.nonces.on = mean > 0
        self.worker.change_pictures(mean, checked)

    def use(self, settings: Settings) -> None:
        """Apply the settings that can change while the process runs."""
        chosen, limits, worker = settings.server, settings.limits, self.worker
        self.asking.use(chosen.hosts)
        if self.countries.use(settings.safety.refused_countries):
            worker.look_again()
        self.judge.change(chosen.hosts, chosen.origins, [str(proxy) for proxy in chosen.proxies], chosen.port_header)
        self.addresses.change(limits.connections, limits.connect_burst, limits.connect_rate, limits.newcomers)
        worker.reactor.change_limits(
            (limits.message_burst, limits.message_rate), (limits.signal_burst, limits.signal_rate)
        )
        worker.engine.change_limits(limits.find_burst, 1.0 / limits.find_rate)
        worker.change_late(limits.late if limits.enabled and limits.late else inf)
