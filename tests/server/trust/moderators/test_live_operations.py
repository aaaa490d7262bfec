"""Orders about what runs now: none about a session is carried out before its line is in the audit log."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.data.errors import StoreAway
from server.ops.health.service_state import ServiceState
from server.trust.moderators.live_operations import Answered, LiveOperations, OrderRefused, Unaudited

HERE = "00000000000000aa"
ROW = {"session": HERE, "state": "chatting", "seconds": 5.0}


class Service:
    """A service of one process with one session, and its audit log; `away`: the log takes no line; `goes_away`: it takes the first line alone."""

    def __init__(self) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.lines: list[tuple[str, str, str, int, str]] = []
        self.outcomes: list[str] = []
        self.away = self.goes_away = False
        self.live = LiveOperations(self.ask, ServiceState(), lambda: self)

    async def ask(self, request: Mapping[str, Any]) -> list[Answered]:
        """Answer as its process would; another host is silent."""
        self.done.append(request)
        mine = request.get("session") == HERE
        body = {
            "count": {"sessions": 1, "video": 0, "away": 0, "states": {"chatting": 1}},
            "list": {"total": 1, "rows": [ROW]},
            "find": {"identity": 7, "address": "192.0.2.1", "state": "chatting"} if mine else {},
        }.get(request["do"], {"done": mine})
        return [Answered("", "server", body, ""), Answered("192.0.2.9:7000", "", None, "no answer within 3 s")]

    @asynccontextmanager
    async def act(
        self, operator: str, action: str, why: str, identity: int = 0, address: str = ""
    ) -> AsyncIterator[Unaudited]:
        """Keep the line."""
        if self.away:
            raise StoreAway
        self.lines.append((operator, action, why, identity, address))
        said = Unaudited()
        yield said
        self.outcomes.append(said.outcome)
        if self.goes_away:
            raise StoreAway


async def test_an_order_is_in_the_audit_log_with_the_user_before_it_is_carried_out() -> None:
    service = Service()
    await service.live.end(HERE, "ada", "asked to")
    assert service.lines == [("ada", "sessions end", "asked to", 7, "192.0.2.1")]
    assert service.done[-1] == {"do": "end", "session": HERE}
    await service.live.pause(HERE, 5, "ada", "asked to")
    assert service.done[-1] == {"do": "pause", "session": HERE, "seconds": 300}


async def test_while_the_database_is_away_no_session_is_touched_and_all_can_be_told() -> None:
    service = Service()
    service.away = True
    with pytest.raises(StoreAway):
        await service.live.end(HERE, "ada", "asked to")
    assert [one["do"] for one in service.done] == ["find"]
    said = await service.live.handle({"do": "end", "session": HERE, "operator": "ada", "why": "w"})
    assert (said["done"], "audit log" in said["said"]) == (False, True)
    silent = await service.live.maintain(True, 30, "ada")
    assert silent == ["192.0.2.9:7000: no answer within 3 s"]
    rows = service.done[-1]["rows"]["maintenance"]
    assert rows[1]["until"] == pytest.approx(time.time() + 1_800, abs=30)


async def test_an_order_that_was_carried_out_is_not_said_to_be_refused_if_the_database_goes_away_meanwhile() -> None:
    service = Service()
    service.goes_away = True
    await service.live.end(HERE, "ada", "asked to")
    assert service.done[-1] == {"do": "end", "session": HERE}
    with pytest.raises(OrderRefused, match="no such session"):
        await service.live.end("0" * 16, "ada", "asked to")


async def test_a_list_needs_a_reason_and_names_the_address_in_its_line() -> None:
    service = Service()
    found = await service.live.listed("ada", "a letter", address=" 192.0.2.1 ")
    assert found["rows"] == [{"host": "", "process": "server", **ROW}]
    assert found["silent"] == ["192.0.2.9:7000: no answer within 3 s"]
    assert service.lines == [("ada", "sessions list", "a letter", 0, "192.0.2.1")]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"do": "list", "operator": "a", "why": "", "state": "", "country": "", "address": ""}, "say why"),
        ({"do": "list", "operator": "a", "why": "w", "state": "asleep", "country": "", "address": ""}, "state"),
        ({"do": "list", "operator": "a", "why": "w", "state": "", "country": "", "address": "home"}, "no IP"),
        ({"do": "end", "session": "0" * 16, "operator": "a", "why": "w"}, "no such session"),
        ({"do": "pause", "session": HERE, "minutes": 61, "operator": "a", "why": "w"}, "1 to 60"),
        ({"do": "announce", "texts": {"en": "x" * 301}, "minutes": 0, "operator": "a"}, "300"),
        ({"do": "announce", "texts": {"en": "x"}, "minutes": 99_999, "operator": "a"}, "at most"),
        ({"do": "dance"}, "no such request"),
        ({}, "no such request"),
    ],
)
async def test_a_wrong_order_is_refused_in_words(request_: dict[str, Any], why: str) -> None:
    service = Service()
    said = await service.live.handle(request_)
    assert not said["done"]
    assert why in said["said"]
    assert not [one for one in service.done if one["do"] in ("end", "pause", "service")]


async def test_what_a_process_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(_: Mapping[str, Any]) -> list[Answered]:
        return [Answered("", "server", {"error": "nobody: there is no such group of events"}, "")]

    service = Service()
    live = LiveOperations(ask, ServiceState(), lambda: service)
    with pytest.raises(OrderRefused, match="no such group"):
        await live.set_level("nobody", "debug", "ada")
    assert service.lines == [("ada", "log level", "", 0, "")], "another process may have carried it out"
    assert service.outcomes == ["refused: nobody: there is no such group of events"]


async def test_each_order_is_counted_by_what_came_of_it() -> None:
    service = Service()
    await service.live.end(HERE, "ada", "asked to")
    with pytest.raises(OrderRefused):
        await service.live.pause("0" * 16, 5, "ada", "asked to")
    await service.live.maintain(False, 0, "ada")
    service.away = True
    with pytest.raises(StoreAway):
        await service.live.end(HERE, "ada", "asked to")
    counts = service.live.reading()["serendip_operator_orders"]
    assert isinstance(counts, dict)
    assert {labels: count for labels, count in counts.items() if count} == {
        ("end", "done"): 1, ("pause_video", "refused"): 1, ("maintenance_off", "done"): 1, ("end", "refused"): 1,
    }  # fmt: skip


async def test_counts_are_summed_over_processes_and_who_is_silent_is_named() -> None:
    found = await Service().live.count()
    assert (found["sessions"], found["states"]) == (1, {"chatting": 1})
    assert [one["process"] for one in found["processes"]] == ["server"]
    assert len(found["silent"]) == 1
