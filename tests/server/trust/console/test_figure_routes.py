"""Test the figures over HTTP: a moderator's own, and everyone's for a lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_a_lead_reads_everyones_agreement_and_a_moderator_their_own(console: Console, kit: Kit) -> None:
    ada, lea = await console.person("ada", "moderator"), await console.person("lea", "lead")
    await decided(ada, await case(kit), "step")
    await decided(lea, await case(kit, about=30), "none")
    mine, all_of_them = (await ada.get("/figures")).text, (await lea.get("/figures")).text
    assert "<bdi>ada</bdi></th>" in mine
    assert "<bdi>lea</bdi></th>" not in mine
    assert "<bdi>ada</bdi></th>" in all_of_them
    assert "<bdi>lea</bdi></th>" in all_of_them
    assert mine.count("<rect") == 14 * 4, "four queues: apparent abuse material is for child protection"
