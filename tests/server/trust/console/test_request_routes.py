"""Test `/requests`: each page is there for its role alone, and the console leaves the rows that the command line leaves."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.ops.config.settings import Settings
from server.trust.console import request_routes
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.rights.request_work import RequestWork
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.console.both_ways import RANDOM, kit_of_two, rows
from tests.server.trust.console.conftest import Console

__all__ = ["kit_of_two"]
WHY, WORDS = "my turn", "We looked, and did it."
PATHS = {
    "/requests": ("clerk",), "/logs": ("clerk",), "/orders": ("officer",), "/holds": ("officer",), "/audit": ("admin",),
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An SQLite database: other files ask both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def asked(kit: Kit, kind: str = "complaint") -> str:
    """The number of a new request by mail."""
    new = NewRequest(kind, "mail", 0, text="<b>What</b> is this?", contact="ann@example.org")
    return await Requests(kit.database, kit.pseudonyms).open(new, NOW)


@pytest.mark.parametrize("role", ["moderator", "child", "lead", "officer", "clerk", "admin"])
async def test_each_page_is_there_for_its_role_alone(console: Console, role: str) -> None:
    person = await console.person("ada", role)
    for path, roles in PATHS.items():
        assert (await person.get(path)).status == (200 if role in roles else 404), path


async def test_a_clerk_reads_a_request_after_a_reason_and_answers_it(console: Console) -> None:
    kit = console.kit
    number = await asked(kit)
    clerk = await console.person("ada", "clerk")
    listed = (await clerk.get("/requests")).text
    assert "complaint" in listed
    assert "What" not in re.sub(r"<[^>]+>", "", listed).replace("What people", "")
    assert (await clerk.post("/requests/show", number=number, why=" ")).status == 409
    shown = (await clerk.post("/requests/show", number=number, why=WHY)).text
    assert "&lt;b&gt;What&lt;/b&gt; is this?" in shown
    assert "ann@example.org" in shown
    for wrong in ({"outcome": "shout"}, {"outcome": "denied", "reason": "no"}, {"outcome": "fulfilled", "words": " "}):
        assert (await clerk.post("/requests/close", number=number, why=WHY, **wrong)).status == 409
    assert (await clerk.post("/requests/show", number="0" * 13, why=WHY)).status == 409
    done = await clerk.post("/requests/close", number=number, why=WHY, outcome="fulfilled", words=WORDS)
    assert done.to == "/requests"
    assert (await clerk.post("/requests/close", number=number, why=WHY, outcome="denied", reason="other")).status == 409
    assert "Nothing waits." in (await clerk.get("/requests")).text


async def test_a_flood_of_requests_makes_no_page_without_end(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_routes, "SHOWN", 2)
    clerk = await console.person("ada", "clerk")
    for _ in range(3):
        await asked(console.kit)
    page = (await clerk.get("/requests")).text
    assert (page.count("<section"), "2 / 3" in page) == (2, True)


Act = Callable[[Kit, str], Awaitable[object]]


def by_command(kit: Kit) -> RequestWork:
    """The work as the command line has it."""
    return RequestWork(kit.database, kit.pseudonyms, Settings())


REQUEST_ACTS: dict[str, tuple[dict[str, str], str, Act]] = {
    "answer": (
        {"outcome": "fulfilled", "words": WORDS}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "fulfilled", int(kit.now), words=WORDS),
    ),
    "deny": (
        {"outcome": "denied", "reason": "no_match", "words": WORDS}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "denied", int(kit.now), reason="no_match", words=WORDS),
    ),
    "close": (
        {"outcome": "revoked", "words": ""}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "revoked", int(kit.now)),
    ),
    "extend": ({}, "/requests/extend", lambda kit, number: by_command(kit).extend("ada", number, WHY, int(kit.now))),
    "show": ({}, "/requests/show", lambda kit, number: by_command(kit).show("ada", number, WHY)),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUEST_ACTS)
async def test_an_act_on_a_request_leaves_the_same_rows_both_ways(console: Console, kit_of_two: Kit, name: str) -> None:
    fields, path, act = REQUEST_ACTS[name]
    clerk = await console.person("ada", "clerk")
    before = len([row for row in await rows(console.kit) if row[0] == "audit"])
    number = await asked(console.kit)
    assert (await clerk.post(path, number=number, why=WHY, **fields)).status in (200, 303)
    await act(kit_of_two, await asked(kit_of_two))
    by_page = await rows(console.kit, *RANDOM)
    theirs = [row for row in by_page if row[0] != "audit"] + [row for row in by_page if row[0] == "audit"][before:]
    assert theirs == await rows(kit_of_two, *RANDOM)
