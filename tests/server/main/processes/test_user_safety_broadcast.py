"""What is known of somebody in one process is known in all, of all hosts; and what a host says is said to no other host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from server.fleet.frontend import cluster_broadcast
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from server.main.processes.user_safety_broadcast import UserEventBroadcast

WORKERS = ("worker 1", "worker 2")


class Peers:
    """Links of which only what is sent is looked at."""

    def __init__(self) -> None:
        self.others = [HUB, *WORKERS]
        self.sent: list[tuple[str, Kind, list[Any]]] = []

    def send(self, to: str, kind: Kind, *records: Any) -> None:
        """To one of them."""
        self.sent.append((to, kind, list(records)))

    def of(self, kind: Kind) -> list[tuple[str, list[Any]]]:
        """What was sent of a kind, and to whom; it is taken away."""
        found = [(to, records) for to, one, records in self.sent if one == kind]
        self.sent = [one for one in self.sent if one[1] != kind]
        return found


class Worker:
    """People of the frontend."""

    def __init__(self, did: list[tuple[Any, ...]]) -> None:
        self._did = did

    def age(self, *said: Any) -> None:
        self._did.append(("age", *said))

    def reported(self, *said: Any) -> None:
        self._did.append(("reported", *said))


class Frontend:
    """The server of a frontend, as far as it is told of people. `did`: what it was told, in order."""

    def __init__(self, keeps: bool) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.worker = Worker(self.did)
        self.kept = (None, self) if keeps else None
        self.off: list[list[Any]] = []
        self.ages: list[list[Any]] = []
        self.detections: list[list[Any]] = []

    def video_off(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        news = [row for row in rows if list(row) not in self.off]
        self.off.extend(map(list, news))
        return news

    def ages_said(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        news = [row for row in rows if list(row) not in self.ages]
        self.ages.extend(map(list, news))
        return news

    def all_ages(self, _: int) -> list[list[list[Any]]]:
        return [self.ages]

    def all_off(self, _: int) -> list[list[list[Any]]]:
        return [self.off]

    def count_detections(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        known = [row[:3] for row in self.detections]
        news = [row for row in rows if list(row)[:3] not in known]
        self.detections.extend(map(list, news))
        return news

    def all_detections(self, _: int) -> list[list[list[Any]]]:
        return [self.detections]

    def turned_away(self, *said: Any) -> None:
        self.did.append(("turned away", *said))

    def look_now(self) -> None:
        self.did.append(("looks",))


class Put:
    """A frontend, its links, and what it keeps."""

    def __init__(self, keeps: bool = True, several: bool = True) -> None:
        self.frontend, self.peers, self.kept = Frontend(keeps), Peers(), list[Message]()
        server: Any = self.frontend
        peers: Any = self.peers
        self.everywhere = UserEventBroadcast(
            server, lambda: peers, several, lambda _, message: self.kept.append(message)
        )

    def comes(self, name: str, kind: Kind, *records: Any) -> None:
        """Something of another process."""
        self.everywhere.handlers[kind](name, Message(kind, 1, list(records), [], []))

    def hosts(self) -> list[list[Any]]:
        """What all hosts are told; it is taken away."""
        return [row for to, rows in self.peers.of(Kind.ALL) for row in rows if to == HUB]


def test_an_age_of_a_worker_is_told_to_the_other_workers_and_all_hosts_and_is_kept() -> None:
    put = Put()
    put.comes("worker 1", Kind.AGE, 7, "minor", 15)
    assert put.peers.of(Kind.AGE) == [("worker 2", [7, "minor", 15])]
    assert put.hosts() == [[cluster_broadcast.AGE, 7, "minor", 15]]
    assert [message.kind for message in put.kept] == [Kind.AGE]
    assert put.frontend.did == [("age", 7, "minor", 15)], "for those who start later"


def test_so_are_those_of_the_frontend_itself() -> None:
    put = Put()
    frontend = put.everywhere
    frontend.on_age(7, "minor", 15)
    assert put.frontend.did == [], "the server's own part is its own"
    assert put.peers.of(Kind.AGE) == [(name, [7, "minor", 15]) for name in WORKERS]
    assert put.hosts() == [[cluster_broadcast.AGE, 7, "minor", 15]]
    frontend.on_weighed(7, 8, 9)
    assert put.peers.of(Kind.WEIGHED) == [(name, [7, 8, 9]) for name in WORKERS]
    assert put.hosts() == [[cluster_broadcast.WEIGHED, 7, 8, 9]]
    frontend.on_minor(7)
    assert put.hosts() == [[cluster_broadcast.MINOR, 7]]
    frontend.on_decision()
    assert put.hosts() == [[cluster_broadcast.CHANGED]]
    frontend.on_pause(7, 600.0)
    assert put.peers.of(Kind.PAUSED) == [(name, [[7, 600.0]]) for name in WORKERS]
    assert put.hosts() == [[cluster_broadcast.PAUSED, 7, 600.0]]


def test_video_that_is_off_is_told_where_that_is_news_and_of_people_of_this_process_alone_to_no_host() -> None:
    put = Put()
    put.comes("worker 1", Kind.PAUSED, [7, 600.0], [-8, 600.0])
    assert put.peers.of(Kind.PAUSED) == [("worker 2", [[7, 600.0], [-8, 600.0]])]
    assert put.hosts() == [[cluster_broadcast.PAUSED, 7, 600.0]]
    put.comes("worker 2", Kind.PAUSED, [7, 600.0])
    assert put.peers.sent == []
    put.everywhere.joined("worker 3")
    assert put.peers.of(Kind.PAUSED) == [("worker 3", [[7, 600.0], [-8, 600.0]])]


def test_a_detection_of_a_day_reaches_each_process_once_and_a_worker_that_starts_later() -> None:
    put = Put()
    put.comes("worker 1", Kind.DETECTED, [7, "hate", 5, 0.0], [-8, "hate", 6, 0.0])
    assert put.peers.of(Kind.DETECTED) == [("worker 2", [[7, "hate", 5, 0.0], [-8, "hate", 6, 0.0]])]
    assert put.hosts() == [[cluster_broadcast.DETECTED, 7, "hate", 5, 0.0]], "a person of one process concerns no host"
    put.comes("worker 2", Kind.DETECTED, [7, "hate", 5, 0.0])
    put.comes(HUB, Kind.ALL, ["detected", 7, "hate", 5, 1.0])
    assert put.peers.sent == []
    put.everywhere.on_detection(9, "threat", 1)
    assert put.peers.of(Kind.DETECTED) == [(name, [[9, "threat", 1, 0.0]]) for name in WORKERS]
    assert put.hosts() == [[cluster_broadcast.DETECTED, 9, "threat", 1, 0.0]]
    put.everywhere.joined("worker 3")
    assert put.peers.of(Kind.DETECTED) == [("worker 3", [[7, "hate", 5, 0.0], [-8, "hate", 6, 0.0]])]


def test_ages_are_told_to_a_worker_that_starts_later_and_by_the_workers_to_a_frontend_that_does() -> None:
    put = Put()
    put.comes("worker 1", Kind.AGES, [7, "minor", 15, 600.0], [8, "asked", 0, 60.0])
    assert put.peers.of(Kind.AGES) == [("worker 2", [[7, "minor", 15, 600.0], [8, "asked", 0, 60.0]])]
    put.comes("worker 2", Kind.AGES, [7, "minor", 15, 600.0], [8, "asked", 0, 60.0])
    assert put.peers.sent == [], "no news, and nothing for other hosts: they were told"
    put.everywhere.joined("worker 3")
    assert put.peers.of(Kind.AGES) == [("worker 3", [[7, "minor", 15, 600.0], [8, "asked", 0, 60.0]])]
    assert put.kept == []


def test_what_a_host_knew_before_is_told_to_all_workers_in_bounded_messages_and_to_no_host() -> None:
    put = Put()
    put.everywhere.caught_up(
        [[number, "adult", 0, 60.0] for number in range(1, 1502)],
        [[number, 60.0] for number in range(1, 1002)],
        [[7, "hate", 5, 60.0]],
    )
    assert put.peers.of(Kind.DETECTED) == [(name, [[7, "hate", 5, 60.0]]) for name in WORKERS]
    assert [(to, len(rows)) for to, rows in put.peers.of(Kind.AGES)] == [
        (name, size) for size in (1000, 501) for name in WORKERS
    ]
    assert [(to, len(rows)) for to, rows in put.peers.of(Kind.PAUSED)] == [
        (name, size) for size in (1000, 1) for name in WORKERS
    ]
    put.everywhere.caught_up([[1, "adult", 0, 60.0]], [[1, 60.0]], [])
    assert put.peers.sent == []


def test_a_minor_of_a_worker_is_kept_and_told() -> None:
    put = Put()
    put.comes("worker 1", Kind.MINOR, 7)
    assert put.hosts() == [[cluster_broadcast.MINOR, 7]]
    assert [message.records for message in put.kept] == [[7]]


def test_what_a_host_says_is_told_to_all_workers_and_to_no_host() -> None:
    put = Put()
    rows = [
        ["age", 7, "minor", 15],
        ["weighed", 7, 8, 9],
        ["minor", 7],
        ["paused", 7, 600.0],
        ["changed"],
        ["later", 1],
    ]
    put.comes(HUB, Kind.ALL, *rows)
    assert put.frontend.did == [("age", 7, "minor", 15), ("reported", 7, 8, 9), ("turned away", 7), ("looks",)]
    for name in WORKERS:
        for kind, said in ((Kind.AGE, [7, "minor", 15]), (Kind.WEIGHED, [7, 8, 9]), (Kind.PAUSED, [[7, 600.0]])):
            assert (name, kind, said) in put.peers.sent
    assert put.hosts() == []
    assert put.kept == [], "who said it keeps it"


@pytest.mark.parametrize("keeps", [True, False])
def test_alone_no_host_is_told_and_without_a_store_nothing_is_looked_at(keeps: bool) -> None:
    put = Put(keeps, several=False)
    put.comes("worker 1", Kind.AGE, 7, "minor", 15)
    put.comes(HUB, Kind.ALL, ["changed"])
    assert put.hosts() == []
    assert put.frontend.did == [("age", 7, "minor", 15), *[("looks",)] * keeps]
    assert FRONTEND not in put.everywhere.workers()
