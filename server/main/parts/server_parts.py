"""Make the parts of a process that serves HTTP (worker, store, moderation, pages, metrics), and connect them.

`server.main.single_process_server` starts and stops them.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from aiohttp import web

from engine.wire.protocol import MINOR
from ext.accept.address_limits import Addresses
from server.data.records.store_ports import Store
from server.data.statement import current_statement
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.http.request.client_info import ClientInfo
from server.http.request.counted_connections import SeparatePaths
from server.http.request.reactor_handoff import Door
from server.http.request.site_services import Services, SiteParts
from server.main import app
from server.main.checks.public_host_requirements import refusal
from server.main.parts.line_screening import LineScreening
from server.main.parts.other_process_interface import ALONE, OtherProcesses
from server.main.parts.reception import Reception, ReceptionPorts, Row
from server.main.parts.settings_reload import SettingsReload
from server.main.parts.store_opening import open_store
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.health.certificates import CertificateDates, nats_places, site_places
from server.ops.health.core_wait import CoreWait
from server.ops.health.readiness import Health
from server.ops.health.service_state import FILE as SERVICE_FILE
from server.ops.metrics import exposition, ipc_metrics, readings
from server.ops.metrics.exposition import MetricsBoard, MetricsServer
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.readings import LoopLag
from server.ops.metrics.resource_usage import DiskSpace, GarbageCollections, ProcessUsage
from server.ops.process import free_memory, shared_address_table
from server.ops.process.control_socket import FOLDER, LIVE, TEXTS_MAX, RequestSocket, Unavailable
from server.ops.process.listening_sockets import Sockets, StartError
from server.ops.security import college_proofs, secret_keys
from server.ops.security.resume_tokens import Tokens
from server.realtime.video.turn_traffic_counter import RelayReports
from server.realtime.worker.gc_tuning import ConnectionCount
from server.realtime.worker.recorder import Recorder
from server.realtime.worker.session_moves import SessionMoves
from server.site.college.routes import DESK
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.routes import ADAPTER, REFUSALS
from server.site.polling.routes import PATH
from server.trust.challenge.altcha_puzzles import Puzzles
from server.trust.child_protection.minor_deletion import Minors
from server.trust.console.console_ports import Console
from server.trust.data_requests.rights_ports import Rights
from server.trust.moderation_protocol import PicturesOfChats, Safety, SafetyPorts
from server.trust.moderators.live_operations import Answered, Audit, LiveOperations
from server.trust.pictures.picture_check_service import Pictures
from server.trust.pictures.picture_nonces import are_checks_possible
from server.trust.pictures.picture_process_codec import Judged
from server.trust.pictures.picture_relay import HeldPictures, SentPictures
from server.trust.pictures.requested_pictures import PictureRequests
from server.trust.text_provider.provider_client import Explanation

STORE_EVERY: Final = 2.0  # seconds between two looks whether the database is away
logger = log.get()


class Listener(Protocol):
    """A part that listens on a port of its own."""

    async def listen(self) -> None: ...
    async def pause(self) -> None: ...


class Server:
    """All parts of one process that serves HTTP: worker, store, moderation, pages, metrics.

    The order of calls is: constructor, `start`, `take_connections`, and at the end `close`.
    """

    def __init__(
        self,
        settings: Settings,
        secret: secret_keys.Keys,
        sockets: Sockets,
        counted: shared_address_table.CensusColumn | None = None,
        process: str = ipc_metrics.ALONE,
        others: OtherProcesses = ALONE,
    ) -> None:
        """`counted`: shared counters of addresses; None: counted in this process only. `process`: its name."""
        self._settings = settings
        self.health = Health(lambda: self._reception.service.maintenance is not None)
        self.draining = False  # this host is drained by an operator
        self.tasks = Tasks()
        self.health.checks.append(self.tasks.unwell)
        self.board = MetricsBoard()
        self._sockets = sockets
        self._relayed = RelayReports(settings.video, sockets)
        self._metrics: MetricsServer | None = None
        if settings.metrics.enabled:
            self._metrics = MetricsServer(self.board, settings.metrics, self.health, sockets)
        self._tally = MigrationCounts()
        self._process = process
        self._store: Store | None = None
        self._safety: Safety | None = None
        self._console: Console | None = None
        self._rights: Rights | None = None
        self._minors: Minors | None = None
        self.pictures: Pictures | None = None  # None: pictures are off
        self.sent = self._sent_pictures()  # None: users send none
        self.recorder: Recorder | None = None
        self._others = others
        self._published: current_statement.PublishedStatement | None = None
        self._adapter: OmegleAdapter | None = None  # of Omegle's programs
        self._collections: GarbageCollections | None = None
        self._runner: web.AppRunner | None = None
        self._looking: LineScreening | None = None
        self._audit: Audit | None = None  # of orders about running sessions
        self._reception = reception = Reception(settings, secret, counted, self._ports())
        self.worker, self._judge, self._ice = reception.worker, reception.judge, reception.ice
        self._moving = SessionMoves(self.worker)
        self.live = reception.live
        self._operations = LiveOperations(others.ask_live or self._ask_own, reception.service, lambda: self._audit)
        self.board.add(self._operations.reading)
        self._orders = RequestSocket(
            sockets, settings.data, LIVE, lambda asked, _: self._operations.handle(asked), TEXTS_MAX
        )
        self.services = Services(settings, self.worker, self.health, self._judge, self._site_parts(secret))
        self._use(settings)

    # ports: functions that a part is given for parts that are made after it

    def _ports(self) -> ReceptionPorts:
        """Return the ports of the worker and of admission."""
        others = self._others
        worker = replace(
            others.worker,
            find_ban=self._find_ban,
            last_ban=self._last_ban,
            find_notice=self._find_notice,
            mark_notice_read=self._mark_notice_read,
            find_statement=lambda: None if self._published is None else self._published.newest(),
            keep=self._keep,
            forget_saves=self._forget_saves,
            on_http=lambda conn, begun, now: self.door.take(conn, begun, now),
            on_frames=self._on_frames,
            on_age=self._on_age,
            on_detection=others.on_detection,
        )
        return ReceptionPorts(
            worker,
            others.make_room,
            others.on_pause,
            self.ask_for_pictures,
            self.expect_picture,
            lambda: self._tally.left if others.ask_live is None else 0,  # several processes: the old ones are asked
            self._settings.data / FOLDER / SERVICE_FILE,
        )

    async def _ask_own(self, request: Mapping[str, Any]) -> list[Answered]:
        """Answer an operator's request, as this server has no other process."""
        return [Answered("", self._process, self.live.answer(request), "")]

    def _safety_ports(self) -> SafetyPorts:
        """Return the ports of moderation."""
        others = self._others
        return SafetyPorts(
            is_promised=lambda: self._settings.safety.moderated,
            find_pictures=lambda: others.find_pictures() or self.held_pictures(),
            on_weighed=self._on_weighed,
            on_attended=self._on_attended,
            on_decision=others.on_decision,
            on_minor=self._on_minor,
            on_lifted=self.worker.lifted,
        )

    def _site_parts(self, secret: secret_keys.Keys) -> SiteParts:
        """Return the ports of the pages and the API."""
        settings, others = self._settings, self._others
        return SiteParts(
            proofs=college_proofs.make_proofs(settings, secret),
            tokens=Tokens(secret),
            puzzles=Puzzles(secret.derive(secret_keys.Purpose.CHALLENGE)),
            places=self._reception.places,
            shared_digests=secret.derive(secret_keys.Purpose.DIGEST) if settings.cluster.nats else None,
            find_waits=others.find_waits,
            find_passing=others.find_passing,
            is_moderated=lambda: self._safety is not None and self._safety.moderated,
            find_looks=self._looks,
            find_refusal=lambda address, cookie: self._reception.addresses.refusal(address, cookie, time.monotonic()),
            find_service=lambda: self._reception.service.told,
            find_sent=lambda: self.sent,
            are_pictures_judged=lambda: self.pictures is not None and self.pictures.people_are_asked,
            glance=self._glance,
        )

    def _find_ban(self, identity: int, address: str) -> tuple[bytes, bytes] | None:
        return None if self._safety is None else self._safety.bans.refusal(identity, address)

    def _last_ban(self, identity: int) -> int:
        return 0 if self._safety is None else self._safety.bans.last_ban(identity)

    def _find_notice(self, identity: int, session: int) -> tuple[str, bytes] | None:
        return None if self._safety is None else self._safety.notices.unread(identity, session)

    def _mark_notice_read(self, identity: int, session: int, id: str) -> bool:
        return self._safety is not None and self._safety.notices.seen(identity, session, id)

    def _keep(self, item: Any) -> None:
        if self.recorder is not None:
            self.recorder.take(item)

    def _forget_saves(self, id: int) -> None:
        if self.recorder is not None:
            self.recorder.forget(id)

    def _on_frames(self, conn: int, frames: list[bytes | int]) -> None:
        if self._adapter is not None:
            self._adapter.frames(conn, frames)

    def _on_age(self, identity: int, stands: str, age: int) -> None:
        self._others.on_age(identity, stands, age)
        self.aged(identity, stands, age)

    def _on_minor(self, identity: int) -> None:
        self._others.on_minor(identity)
        self.turned_away(identity)

    def _on_weighed(self, identity: int, session: int, reporter: int) -> None:
        self._others.on_weighed(identity, session, reporter)
        self.worker.reported(identity, session, reporter)

    def _on_attended(self) -> None:
        if self.pictures is not None:
            self.pictures.look_now()

    def _on_picture(self, nonce: str, what: str) -> None:
        self.worker.pictured(nonce, what)  # other processes skip a nonce that is not theirs
        self._others.on_picture(nonce, what)

    def _on_picture_interval(self, mean: float, checked: bool) -> None:
        self._reception.looked_at_every(mean, checked)
        self._others.on_picture_interval(mean, checked)

    def _sent_pictures(self) -> SentPictures | None:
        if self._settings.pictures.offered(self._settings.store.enabled) == "off":
            return None
        chosen = self._settings.pictures
        sent = SentPictures(self._judge_sent, int(chosen.memory), chosen.in_chat == "checked", self._on_picture)
        self.board.add(sent.reading)
        return sent

    async def _judge_sent(self, picture: bytes) -> Judged | None:
        return None if self.pictures is None else await self.pictures.judge_sent(picture)

    def held_pictures(self) -> PicturesOfChats:
        """Return the pictures that this process holds: of cameras, and sent ones."""
        cameras = None if self.pictures is None else self.pictures.looks
        return HeldPictures([one for one in (cameras, self.sent) if one is not None])

    def _looks(self) -> PictureRequests | None:
        return None if self.pictures is None else self.pictures.looks

    async def _glance(self, still: bytes, frames: int) -> str:
        return "" if self.pictures is None else await self.pictures.glance(still, frames)

    def expect_picture(self, chat: str, side: int, key: str) -> None:
        """Take the key of a picture that a user will upload to this process; an empty key: the chat ended; an empty chat: it is not shown."""
        if self.sent is None:
            return
        if not key:
            self.sent.over(chat)
        elif not chat:
            self.sent.withdraw(key)
        else:
            self.sent.asked(chat, side, key)

    def ask_for_pictures(self, chat: str, sides: Sequence[int], nonces: Sequence[str]) -> None:
        """Take requests for pictures: they will be uploaded to this process."""
        if self.pictures is not None:
            self.pictures.looks.asked(chat, sides, nonces)

    # settings

    def reload_at(self, asked: asyncio.Event, again: Callable[[], Settings]) -> None:
        """Read the settings by `again`, and apply them, whenever `asked` is set."""
        reloading = SettingsReload(self._settings, self._use)
        self.tasks.start("reload", lambda: reloading.run(asked, again))

    def _use(self, settings: Settings) -> None:
        """Apply the settings that can change while the server runs (server.ops.config.settings.RELOADED)."""
        self._settings = settings
        self.services.use(settings)
        log.configure(settings.log)
        self._reception.use(settings)
        if self._metrics is not None:
            self._metrics.hosts = settings.metrics.hosts

    async def start(self, secret: secret_keys.Keys, *, listening: bool = True) -> None:
        """Make all parts; nothing is accepted yet. `listening`: see `open_store`. Raises StartError; then all is closed."""
        try:
            self.tasks.start("free-memory", free_memory.run)
            await self.show_metrics(listening=listening)
            await self.open_store(secret, listening=listening)
            if self.sent is not None:
                self.tasks.start("sent-pictures", self.sent.run)
            await self.build()
            await self._orders.start(listening=listening)
        except Unavailable as error:
            logger.warning("control.unavailable", error=error.error)
        except BaseException:
            await self.close()
            raise

    async def open_store(self, secret: secret_keys.Keys, *, listening: bool = True) -> None:
        """Open the privacy statement and, if enabled, the store with all that uses it. Not `listening`: the console waits for `listen`. Raises
        StartError."""
        try:
            self._published = await current_statement.open_published(self._settings, self.tasks)
        except current_statement.Unfit as error:
            raise StartError(f"privacy: {error}") from None
        if self._settings.store.enabled:
            address = ClientInfo(self._judge).address
            parts = await open_store(
                self._settings,
                secret,
                self.tasks,
                address,
                self._published,
                self._sockets,
                self._safety_ports(),
                self._explain,
                self._operations,
            )
            self._store, self._safety, self._console, self._rights, self._audit = parts
            store, safety, console, rights, _ = parts
            self._minors = minors = Minors(safety.bans, rights.deletion.ask)
            self.tasks.start("safety-minors", minors.run)
            await safety.start(self.worker.look_again)
            self.recorder = Recorder(self.worker, store, safety.take, self._others.on_migrated_save)
            self.services.add_store(store)
            self.health.checks.append(lambda: [] if store.unwell() else safety.unwell())
            self.tasks.start("live-store", lambda: self._tell_store(store))
            await rights.start()
            for part in (store, safety, rights):
                self.board.add(part.reading)
            self._look(safety)
            if console is not None:
                await console.start(listening=listening)
                self.board.add(console.reading)
            if not (safety.moderated or store.unwell()):
                logger.warning("safety.unattended", queues=sorted(safety.unread))
        elif said := refusal(self._settings, has_moderator=False):
            raise StartError(said)

    async def _tell_store(self, store: Store) -> None:
        """Tell all users while the database is away: what they save and report waits, or fails. Twice in a row, so that a blink is not told."""
        before, told = False, None  # None: workers may still have what a frontend that died told them
        while True:
            await asyncio.sleep(STORE_EVERY)
            away = bool(store.unwell())
            if away == before and away != told:
                told = away
                self.live.note_store(away)
                self._others.tell_live({"do": "store", "away": away})
            before = away

    async def _explain(self, text: str) -> tuple[Explanation, ...]:
        """Return what the provider of text finds in a text of a case."""
        return () if self._looking is None else await self._looking.explain(text)

    def _look(self, safety: Safety) -> None:
        """Begin to check pictures of cameras, if this installation can."""
        if not are_checks_possible(self._settings):
            return
        self.pictures = pictures = Pictures(
            self._process, self._settings, lambda: safety.moderated, self._on_picture, self._on_picture_interval
        )
        self.board.add(pictures.reading)
        pictures.start(self.tasks)

    def video_off(self, rows: Sequence[Row]) -> list[Row]:
        """Forward to `Reception.video_off`."""
        return self._reception.video_off(rows)

    def all_off(self, most: int) -> Iterator[list[Row]]:
        """Forward to `Reception.all_off`."""
        return self._reception.all_off(most)

    def ages_said(self, rows: Sequence[Row]) -> list[Row]:
        """Forward to `Reception.ages_said`."""
        return self._reception.ages_said(rows)

    def all_ages(self, most: int) -> Iterator[list[Row]]:
        """Forward to `Reception.all_ages`."""
        return self._reception.all_ages(most)

    def count_detections(self, rows: Sequence[Row]) -> list[Row]:
        """Forward to `Reception.count_detections`."""
        return self._reception.count_detections(rows)

    def all_detections(self, most: int) -> Iterator[list[Row]]:
        """Forward to `Reception.all_detections`."""
        return self._reception.all_detections(most)

    def aged(self, identity: int, stands: str, _age: int) -> None:
        """Handle the age state of a user of any process: the stored data of a minor is deleted."""
        if stands == MINOR and self._minors is not None:
            self._minors.said(identity)

    def turned_away(self, identity: int) -> None:
        """Handle the refusal of a user, in any process, whom a moderator's decision keeps out as a minor."""
        if self._minors is not None:
            self._minors.turned_away(identity)

    async def build(self) -> None:
        """Build the application and the way from the reactor to it. Nothing is accepted yet. Raises StartError."""
        pages = app.build(self.services, self.worker, self._safety, self._rights, self._published)
        for source in (readings.ResponseCounts(pages).reading, *self.services.sources):
            self.board.add(source)
        self._runner = runner = web.AppRunner(pages, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        if runner.server is None:
            raise StartError("the application did not start")
        self.pages = pages
        self.door = Door(
            runner.server,
            self._judge,
            self._reception.addresses,
            self._crowded(),
            on_step=self.worker.read_if_due,
            on_open=ConnectionCount().add,
        )
        self.board.add(self.door.reading)
        self._looking = LineScreening(self._process, self._settings, self.worker, self.board, self.tasks)
        self._adapter = pages.get(ADAPTER)
        self.worker.start()

    def take_connections(self, sock: socket.socket) -> None:
        """Accept connections by the reactor, which passes all but `/ws` to the application."""
        self.worker.reactor.listen(sock.fileno())

    @property
    def kept(self) -> tuple[Store, Safety] | None:
        """The store and moderation; None without a store. After `open_store`."""
        return None if self._store is None or self._safety is None else (self._store, self._safety)

    @property
    def belongings(self) -> UpgradeParts:
        """The parts whose state a successor takes over. After `build`."""
        adapter, desk = self._adapter, self.pages.get(DESK)
        spent, safety = self.services.spent, self._safety
        return UpgradeParts(
            self.worker, self._moving, self.door, self._tally, self.recorder, adapter, desk, spent, safety
        )

    async def listen(self) -> None:
        """Accept connections on the other ports, also after `pause`."""
        self._orders.listen()
        for part in self._listeners():
            await part.listen()

    async def pause(self) -> None:
        """Accept no more on the other ports: new connections wait, for `listen` or for a process that inherits the sockets."""
        self._orders.pause()
        for part in self._listeners():
            await part.pause()

    def _listeners(self) -> list[Listener]:
        return [part for part in (self._metrics, self._relayed, self._console) if part is not None]

    def _crowded(self) -> SeparatePaths | None:
        """Limits for programs of Omegle's protocol, many of which open a connection for each request, as do proxies in front of long polling."""
        chosen = self._settings.omegle
        folders = (PATH.encode(),) if self._settings.server.poll_clients else ()
        counted = Addresses(
            open_max=chosen.connections, burst=chosen.connect_burst, rate=chosen.connect_rate,
            limits=self._settings.limits.enabled,
        )  # fmt: skip
        return (
            SeparatePaths(counted, REFUSALS if chosen.enabled else {}, folders) if chosen.enabled or folders else None
        )

    async def show_metrics(self, *, listening: bool = True) -> None:
        """Open the port of the metrics, and the port to which TURN servers report. The metrics show the rest of the start.

        Not `listening`: requests wait for `listen`. Raises StartError.
        """
        lag = LoopLag(self._process, lambda: self.worker.engine.online > 0)
        self.tasks.start("loop-lag", lag.run)
        self.tasks.start("core-wait", CoreWait(self._process).run)
        self._collections = collections = GarbageCollections()
        if looked_at := site_places(self._settings) + nats_places(self._settings.cluster):
            certificates = CertificateDates(looked_at, self._settings.cluster.ca)
            self.tasks.start("certificates", certificates.run)
            self.board.add(certificates.reading)
        worker = readings.source(
            self._process, self.worker.reactor, self.worker.engine, self.worker.output.signals_refused
        )
        own = (
            exposition.read_log_counts,
            self._up,
            self._tally.reading,
            self.tasks.reading,
            worker,
            lag.reading,
            self._ice.reading,
            self._reception.asking.reading,
            self._reception.countries.reading,
            self._relayed.reading,
        )
        for source in (*own, collections.reading):
            self.board.add(source)
        self.board.add(DiskSpace(self._settings.data).reading, apart=True)
        self.board.add(ProcessUsage(self._process).reading, apart=True)
        self.board.add(exposition.read_build, apart=True)
        if self._metrics is not None:
            self.board.add(self._metrics.reading)
            await self._metrics.start(listening=listening)
        if self._settings.video.reports:
            await self._relayed.start(listening=listening)

    def _up(self) -> Reading:
        return {"serendip_process_up": {(self._process,): 1}, "serendip_draining": float(self.draining)}

    async def show_draining(self, goes_on: Callable[[], bool]) -> None:
        """Wait until a scrape has shown `serendip_draining`, if the metrics are scraped, and while `goes_on` returns True."""
        if self._metrics is not None:
            await self._metrics.scraped_again(goes_on)

    async def close(self) -> None:
        """Close the application first, so that nothing new arrives; the store last, when nothing is left to record. Also after a failed start."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._console is not None:
            await self._console.stop()
        if self._metrics is not None:
            await self._metrics.stop()
        await self._relayed.stop()
        await self._orders.stop()
        for task in ("reload", "certificates", "core-wait", "free-memory", "loop-lag", "statement", "live-store"):
            await self.tasks.end(task)
        if self._looking is not None:
            await self._looking.stop()
        if self._collections is not None:
            self._collections.stop()
        if self.sent is not None:
            await self.tasks.end("sent-pictures")
            await self.sent.close()
        await self._reception.asking.close()
        self.worker.stop()
        await self._close_store()

    async def _close_store(self) -> None:
        if self.recorder is not None:
            await self.recorder.close()
        await self.tasks.end("safety-minors")
        if self._minors is not None:
            await self._minors.close()
        if self.pictures is not None:
            await self.pictures.close(self.tasks)
        for part in (self._safety, self._rights, self._store):
            if part is not None:
                await part.close()
