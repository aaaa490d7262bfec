"""What all hosts are to know reaches their frontends: in few messages, checked whole, and never said again."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from server.fleet.frontend import cluster_broadcast as module
from server.fleet.frontend.cluster_broadcast import (
    AGE,
    CHANGED,
    DETECTED,
    MINOR,
    PAUSED,
    ROWS,
    SUBJECT,
    WEIGHED,
    ClusterBroadcast,
)
from server.fleet.ipc.ipc_link import Kind, Message
from tests.server.fleet.migrate.rig import until

HERE, THERE = "00000000aa", "00000000bb"
ALL: list[list[Any]] = [
    [AGE, 7, "minor", 15],
    [WEIGHED, 0, 8, 9],
    [MINOR, 7],
    [PAUSED, 7, 600.0],
    [DETECTED, 7, "hate", 5, 0.0],
    [CHANGED],
]


class Hub:
    """One that says and hears. `said`: to all hosts; `told`: to its frontend."""

    def __init__(self, node: str) -> None:
        self.said: list[bytes] = []
        self.told: list[list[Any]] = []
        self.unreadable = 0
        self.telling = ClusterBroadcast(
            node, lambda _, body: self.said.append(body), lambda *rows: self.told.extend(rows), self._damaged
        )

    def _damaged(self) -> None:
        self.unreadable += 1

    def tell(self, *rows: list[Any]) -> None:
        """Its frontend does."""
        self.telling.tell("frontend", Message(Kind.ALL, 1, list(rows), [], []))

    def hear(self, body: bytes) -> None:
        """Another host does."""
        self.telling.handlers[SUBJECT](body)


async def test_what_one_frontend_tells_another_hears_whole_and_its_own_does_not() -> None:
    one, two = Hub(HERE), Hub(THERE)
    one.tell(*ALL)
    await until(lambda: one.said)
    for hub in (one, two):
        hub.hear(one.said[0])
    assert (one.told, two.told) == ([], ALL)
    assert two.said == [], "what a host heard it does not say again"
    assert (one.telling.tally["said"], two.telling.tally["heard"]) == (len(ALL), len(ALL))


async def test_many_go_in_few_messages_and_beyond_the_bound_they_are_lost_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)
    most = module.WAITING_MAX
    one = Hub(HERE)
    one.tell(*[[MINOR, number] for number in range(1, most + 4)])
    await until(lambda: one.telling.tally["said"] == most)
    assert [len(orjson.loads(body)["rows"]) for body in one.said] == [ROWS] * (most // ROWS)
    assert one.telling.tally["lost"] == 3
    one.tell([CHANGED])
    await until(lambda: one.telling.tally["said"] == most + 1)


def body(*rows: Any, node: Any = THERE) -> bytes:
    return orjson.dumps({"node": node, "rows": list(rows)})


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"{}", body(node=7), body(7), body([]), body([7]), body([[]]),
        body(*[[CHANGED]] * (ROWS + 1)), body([AGE]), body([AGE, 7]), body([AGE, 7, "old", 15]), body([AGE, "7", "minor", 15]),
        body([AGE, 7, "minor", -1]), body([AGE, 7, "minor", True]), body([AGE, 7, ["minor"], 15]), body([AGE, 1 << 63, "minor", 15]),
        body([AGE, 7, "minor", 15, 1]), body([WEIGHED, 7, 8]), body([WEIGHED, 7, 8, -9]), body([WEIGHED, 7, None, 9]),
        body([MINOR, "x" * 1000]), body([MINOR, {}]), body([PAUSED, 7, "600"]), body([PAUSED, 7, 0]), body([PAUSED, 7, 1e9]),
        body([PAUSED, 7]), body([CHANGED, 1]),
        body([DETECTED, 7, "hate", -1, 0.0]), body([DETECTED, 7, "", 1, 0.0]), body([DETECTED, 7, "hate", 1, 1e9]), body([MINOR, 7], [AGE]),
        b'{"node":"00000000bb","rows":[["paused",7,1e999]]}', b'{"node":"00000000bb","rows":[["paused",7,NaN]]}',
    ],
)  # fmt: skip
async def test_what_is_malformed_is_counted_and_nothing_of_it_is_acted_on(said: bytes) -> None:
    one = Hub(HERE)
    one.hear(said)
    assert (one.told, one.unreadable) == ([], 1)


async def test_a_kind_of_a_newer_release_is_passed_over_and_what_stands_beside_it_is_not() -> None:
    one = Hub(HERE)
    one.hear(body(["dances", {"a": 1}], [MINOR, 7]))
    one.hear(body(["dances"]))
    assert (one.told, one.unreadable) == ([[MINOR, 7]], 0)
