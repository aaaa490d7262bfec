"""Broadcast what the frontend learns about a user's safety (a stated age, counted reports, a refused minor, a pause of video, detections) to its
workers and to all other hosts.

**Invariant:** an event that came from another host is sent to the workers only. Permanent decisions are not broadcast here, since all hosts read
them from the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from server.fleet.frontend import cluster_broadcast
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, Handler, Peers, number_of
from server.fleet.processes.process_links import PAUSED_MAX
from server.main.parts.reception import Row
from server.main.parts.server_parts import Server


class UserEventBroadcast:
    """The broadcasts of one frontend. `several`: whether there may be other hosts; `kept`: also called with each worker's message of a minor or an
    age.

    An event arises in one process, while the user may have sessions in any other, or connect there next. A process that starts later gets age states
    and video that is off and detections of the last day, as long as they hold; a host that starts later, or was disconnected, requests them
    (`server.fleet.frontend.cluster_catch_up`). A report that counts is sent once: alone it causes a challenge, for a day at most.
    """

    def __init__(self, server: Server, peers: Callable[[], Peers], several: bool, kept: Handler) -> None:
        self._server = server
        self._peers = peers
        self._several = several
        self._kept = kept

    @property
    def handlers(self) -> dict[int, Handler]:
        """Handlers of messages from other processes."""
        return {
            Kind.AGE: self._aged, Kind.AGES: self._ages, Kind.PAUSED: self._paused, Kind.MINOR: self._turned_away,
            Kind.DETECTED: self._detected, Kind.ALL: self._hear,
        }  # fmt: skip

    def joined(self, name: str) -> None:
        """Send a new worker the identities whose video is off, the age states, and the detections of the last day."""
        for rows in self._server.all_off(PAUSED_MAX):
            self._peers().send(name, Kind.PAUSED, *map(list, rows))
        for rows in self._server.all_ages(PAUSED_MAX):
            self._peers().send(name, Kind.AGES, *map(list, rows))
        for rows in self._server.all_detections(PAUSED_MAX):
            self._peers().send(name, Kind.DETECTED, *map(list, rows))

    def caught_up(self, ages: Sequence[Row], paused: Sequence[Row], detected: Sequence[Row]) -> None:
        """Take the answer of another host: new rows go to workers, and to no other host."""
        self._say_ages(self._server.ages_said(ages))
        self._say_paused(self._server.video_off(paused))
        self._say_detected(self._server.count_detections(detected))

    def workers(self) -> list[str]:
        """Names of the workers of this generation that are there."""
        return [name for name in self._peers().others if number_of(name) > 0]

    def _tell(self, kind: Kind, *records: Any, but: str = "") -> None:
        for name in self.workers():
            if name != but:
                self._peers().send(name, kind, *records)

    def _tell_hosts(self, *rows: cluster_broadcast.Row) -> None:
        if rows and self._several:  # a host that was silent for a while may receive all the same
            self._peers().send(HUB, Kind.ALL, *rows)

    def _hear(self, _: str, message: Message) -> None:
        """Handle a broadcast of another host, whose form the hub has checked."""
        server = self._server
        for kind, *fields in message.records:
            match kind:
                case cluster_broadcast.AGE:
                    server.worker.age(*fields)
                    self._tell(Kind.AGE, *fields)
                case cluster_broadcast.WEIGHED:
                    server.worker.reported(*fields)
                    self._tell(Kind.WEIGHED, *fields)
                case cluster_broadcast.MINOR:
                    server.turned_away(*fields)
                case cluster_broadcast.PAUSED:
                    self._say_paused(server.video_off([fields]))
                case cluster_broadcast.DETECTED:
                    self._say_detected(server.count_detections([fields]))
                case cluster_broadcast.CHANGED if server.kept is not None:
                    server.kept[1].look_now()

    # age states

    def _aged(self, name: str, message: Message) -> None:
        identity, stands, age = message.records
        self._server.worker.age(identity, stands, age)
        self._say_aged(identity, stands, age, but=name)
        self._kept(name, message)

    def on_age(self, identity: int, stands: str, age: int) -> None:
        """Broadcast an age that a user of this process wrote (`OtherProcesses`)."""
        self._say_aged(identity, stands, age)

    def _say_aged(self, identity: int, stands: str, age: int, but: str = "") -> None:
        self._tell_hosts([cluster_broadcast.AGE, identity, stands, age])
        self._tell(Kind.AGE, identity, stands, age, but=but)

    def _ages(self, name: str, message: Message) -> None:
        """Take what a worker knows; this frontend is new."""
        self._say_ages(self._server.ages_said(message.records), but=name)

    def _say_ages(self, rows: Sequence[Row], but: str = "") -> None:
        for at in range(0, len(rows), PAUSED_MAX):
            self._tell(Kind.AGES, *map(list, rows[at : at + PAUSED_MAX]), but=but)

    # minors, refused by a moderator's decision

    def _turned_away(self, name: str, message: Message) -> None:
        self._tell_hosts([cluster_broadcast.MINOR, *message.records])
        self._kept(name, message)

    def on_minor(self, identity: int) -> None:
        """Tell the other hosts of a minor who was refused here (`OtherProcesses`)."""
        self._tell_hosts([cluster_broadcast.MINOR, identity])

    def on_decision(self) -> None:
        """Tell the other hosts that a ban or a notice has changed (`OtherProcesses`)."""
        self._tell_hosts([cluster_broadcast.CHANGED])

    # reports that count

    def on_weighed(self, identity: int, session: int, reporter: int) -> None:
        """Broadcast a report that counts (`OtherProcesses`)."""
        self._tell_hosts([cluster_broadcast.WEIGHED, identity, session, reporter])
        self._tell(Kind.WEIGHED, identity, session, reporter)

    # video that is off

    def _paused(self, name: str, message: Message) -> None:
        news = self._server.video_off(message.records)
        self._tell_hosts(*[[cluster_broadcast.PAUSED, *row] for row in news if row[0] > 0])
        self._say_paused(news, but=name)

    def on_pause(self, identity: int, seconds: float) -> None:
        """Broadcast that the video of an identity is off (`OtherProcesses`)."""
        self._tell_hosts([cluster_broadcast.PAUSED, identity, seconds])
        self._say_paused([(identity, seconds)])

    def _say_paused(self, rows: Sequence[Row], but: str = "") -> None:
        for at in range(0, len(rows), PAUSED_MAX):
            self._tell(Kind.PAUSED, *map(list, rows[at : at + PAUSED_MAX]), but=but)

    # detections of the last day

    def _detected(self, name: str, message: Message) -> None:
        news = self._server.count_detections(message.records)
        self._tell_hosts(*[[cluster_broadcast.DETECTED, *row] for row in news if row[0] > 0])
        self._say_detected(news, but=name)

    def on_detection(self, identity: int, name: str, chat: int) -> None:
        """Broadcast a detection of a user of this process that counts for a day (`OtherProcesses`)."""
        self._tell_hosts([cluster_broadcast.DETECTED, identity, name, chat, 0.0])
        self._say_detected([(identity, name, chat, 0.0)])

    def _say_detected(self, rows: Sequence[Row], but: str = "") -> None:
        for at in range(0, len(rows), PAUSED_MAX):
            self._tell(Kind.DETECTED, *map(list, rows[at : at + PAUSED_MAX]), but=but)
