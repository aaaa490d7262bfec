"""Two releases side by side: a later one takes over and gives back; where the records have nothing in common nothing changes."""

from pathlib import Path

import aiohttp
import pytest

from engine.migrate.session_record import VERSION
from tests.server.fleet.migrate.releases import launcher, release
from tests.server.fleet.migrate.upgrades import Deployed, Talk, deployed, meet, people

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and waits for them


async def test_a_later_release_takes_over_and_gives_back_while_two_talk(tmp_path: Path) -> None:
    later = release(tmp_path / "later", VERSION + 1, VERSION, "mood")
    async with deployed(tmp_path) as server, aiohttp.ClientSession() as http:
        talk = Talk(*await meet(http, server.port, "all the while"))
        idle, waiting = await people(http, server.port, 2)
        await waiting.say("find", interests=["patience"], strict=True)
        await waiting.hear("waiting")
        # The later one reads ours. It writes our version for us, with a field of its own for each person, which we skip.
        for number, (program, skipped) in enumerate([(later, 0), (launcher(tmp_path), 4)], 1):
            status, done = await server.upgrade(program)
            assert (status, done["done"], done["people"], done["chats"], done["said"]) == (0, True, 4, 1, "")
            taken = await server.told("upgrade.taken", number)
            assert (taken["people"], taken["skipped"]) == (4, skipped)
            for person in (idle, waiting):
                await person.say("ping")
                await person.hear("pong")
        heard, wrong = await talk.end()
        assert (heard > 0, wrong) == (True, [])
        (other,) = await people(http, server.port, 1)
        await other.say("find", interests=["patience"], strict=True)
        for person in (waiting, other):
            assert (await person.hear("matched"))["common"] == ["patience"]
        quiet(server)


async def test_a_release_that_reads_nothing_of_ours_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    later = release(tmp_path / "later", VERSION + 2, VERSION + 2, "mood")
    async with deployed(tmp_path) as server, aiohttp.ClientSession() as http:
        talk = Talk(*await meet(http, server.port, "all the while"))
        status, done = await server.upgrade(later)
        assert (status, done["done"]) == (1, False)
        assert done["said"] == "the new version and this one know no common form of what moves: stop and start instead"
        heard, wrong = await talk.end()
        assert (heard > 0, wrong) == (True, [])
        await meet(http, server.port, "afterwards")
        assert server.events("upgrade.begun") == []
        assert len(server.events("server.ready")) == 1
        quiet(server)


def quiet(server: Deployed) -> None:
    """Nothing failed anywhere, and nobody was refused."""
    for event in ("worker.fault", "task.failed", "loop.fault", "migration.refused", "migration.fault", "upgrade.cut"):
        assert server.events(event) == []
