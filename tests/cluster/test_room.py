"""One waiting room for three hosts: people meet and talk over hosts, whatever is cut or leaves; no line is lost or doubled, no chat has one end."""

from __future__ import annotations

import asyncio
import itertools
import json

import aiohttp
import pytest

from tests.cluster.people import Door, doors, pairs
from tests.cluster.rig import PATIENCE, Cell, Host, acquainted
from tests.server.workers.test_host import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # makes and cuts networks


def across(ways: list[Door]) -> list[tuple[Door, Door]]:
    """Each host with each other, both ways round: where two meet may depend on who came first."""
    return list(itertools.permutations(ways, 2))


async def test_people_of_two_hosts_meet_and_talk(cell: Cell) -> None:
    async with doors(*cell.hosts) as ways, pairs(*across(ways), word="over hosts") as talks:
        for pair in talks:
            await pair.further(50)
            await pair.end()
        async with pairs((ways[1], ways[1]), word="beside") as others:
            await others[0].further()
            await others[0].end()


async def test_who_was_elsewhere_meets_the_next_one_anywhere(cell: Cell, http: aiohttp.ClientSession) -> None:
    people = [await host.person(http) for host in cell.hosts]
    for number, (one, two) in enumerate(itertools.combinations(people, 2)):
        await talk(*await acquainted(one, two, f"chat {number}"))
        await one.say("leave")
        assert (await two.hear("left"))["by"] == "stranger"
    for person in people:
        await person.say("ping")
        await person.hear("pong")


async def test_chats_over_hosts_bear_that_three_of_ten_packets_are_lost(cell: Cell) -> None:
    async with doors(*cell.hosts) as ways, pairs(*across(ways), word="noise") as talks:
        for host in cell.hosts:
            host.drops.set(0.3)
        await asyncio.gather(*[pair.further(100) for pair in talks])
        for host in cell.hosts:
            host.drops.set()
        for pair in talks:
            await pair.further()
            if pair.over:  # a way that gives nothing for two seconds is given up: then both are told
                async with asyncio.timeout(PATIENCE):
                    for side in pair.sides:
                        await side.told.wait()
                pair.judge()
            else:
                await pair.end()


async def test_a_cut_between_two_who_talk_is_told_to_both_and_costs_no_others(cell: Cell) -> None:
    one, two, three = cell.hosts
    async with doors(one, two, three) as (at_one, at_two, at_three):
        cut = ((at_one, at_two), (at_two, at_one), (at_one, at_three), (at_three, at_one))
        whole = ((at_two, at_three), (at_three, at_two), (at_one, at_one), (at_two, at_two))
        async with pairs(*cut, word="cut") as lost, pairs(*whole, word="whole") as kept:
            one.machine.up(link=False)
            async with asyncio.timeout(PATIENCE):
                for pair in (
                    lost
                ):  # long before the grace is over: the one at the edge that it ended, the other that the way is cut
                    for side in pair.sides:
                        await side.told.wait()
                    assert pair.over
            for pair in kept:
                await pair.further()
            one.machine.up(link=True)
            for pair in kept:
                await pair.end()
            assert [side.drops for pair in kept for side in pair.sides] == [0] * (2 * len(kept))


async def test_nats_is_killed_while_people_of_two_hosts_talk(cell: Cell) -> None:
    async with doors(*cell.hosts) as ways, pairs(*across(ways), word="no NATS") as talks:
        await asyncio.to_thread(cell.nats.stop)
        for pair in talks:
            await pair.further(50)
        await asyncio.to_thread(cell.restart_nats)
        await cell.whole()
        for pair in talks:
            await pair.end()
        assert [side.drops for pair in talks for side in pair.sides] == [0] * (2 * len(talks))


async def test_a_host_is_evacuated_and_nobodys_chat_ends(cell: Cell) -> None:
    one, two, three = cell.hosts
    async with doors(one, two, three, one) as (at_one, at_two, at_three, leaving):
        inside, over = (leaving, leaving), ((leaving, at_two), (at_three, leaving), (at_two, at_three))
        async with pairs(inside, inside, *over, word="leave") as talks:
            for pair in talks:
                await pair.further()
            leaving.to = two  # as a balancer does, which hears that it is not ready any more
            try:
                status, said = await one.run("drain", "--json")
                assert status == 0, said
                for pair in talks:
                    await pair.further(50)
                    await pair.end()
                await two.hears(three)
            finally:
                await one.again()
            await cell.whole()
        async with pairs((at_one, at_one), word="back") as (again,):
            await again.further()
            await again.end()


async def test_rolling_upgrades_end_no_chat(cell: Cell) -> None:
    async with doors(*cell.hosts) as ways, pairs(*across(ways), *[(way, way) for way in ways], word="roll on") as talks:
        await rolled(cell)
        for pair in talks:
            await pair.further()
            await pair.end()
        assert [side.drops for pair in talks for side in pair.sides] == [0] * (2 * len(talks))


async def rolled(cell: Cell) -> None:
    """One host after the other, each when the one before is heard again."""
    for host in cell.hosts:
        before = (await host.stands())["node"]
        status, said = await host.server.upgrade()
        assert status == 0, said
        assert (await host.stands())["node"] != before
        await cell.whole()


async def test_whoever_comes_back_to_another_host_goes_on_there(cell: Cell) -> None:
    one, two, three = cell.hosts
    async with doors(one, one) as (moving, staying), pairs((moving, staying), word="resume") as (pair,):
        for host in (two, three, one):
            await pair.further()
            moving.to = host
            moving.cut()
            await pair.further(40)
        await pair.end()
        assert [side.drops for side in pair.sides] == [3, 0]
        assert pair.sides[0].resumed == 3


async def test_a_spy_and_two_of_other_hosts_meet(cell: Cell, http: aiohttp.ClientSession) -> None:
    spy, *others = [await host.person(http) for host in cell.hosts]
    await spy.say("find", role="spy", question="Is it so everywhere?")
    for other in others:
        await other.say("find", role="discuss")
    for person in (spy, *others):
        await person.hear("matched")
    await others[0].say("message", text="here it is")
    assert (await others[1].hear("message"))["text"] == "here it is"
    assert (await spy.hear("message"))["text"] == "here it is"
    await others[1].say("leave")
    for person in (spy, others[0]):
        await person.hear("left")


async def test_an_omegle_client_polls_at_another_host(cell: Cell, http: aiohttp.ClientSession) -> None:
    one, two, three = cell.hosts
    topics = {"topics": json.dumps(["omegle"]), "group": "unmon"}
    here, there = [await omegle(host, http, "start", firstevents=1, rcs=1, **topics) for host in (one, one)]
    ids = [said["clientID"] for said in (here, there)]
    seen: list[list[list[str]]] = [here["events"] or [], there["events"] or []]
    async with asyncio.timeout(PATIENCE):
        for at, id in enumerate(ids):
            while not any(event[0] == "connected" for event in seen[at]):
                seen[at] += await omegle(three, http, "events", id=id)
        assert await omegle(two, http, "send", id=ids[0], msg="from afar") == "win"
        while ["gotMessage", "from afar"] not in seen[1]:
            seen[1] += await omegle(one, http, "events", id=ids[1])
    assert await omegle(three, http, "disconnect", id=ids[0]) == "win"


async def omegle(host: Host, http: aiohttp.ClientSession, path: str, **fields: object) -> object:
    """What a host answers in Omegle's protocol. Raises AssertionError where it knows nobody of that id."""
    async with http.post(f"http://{host.machine.public}:8080/{path}", data=fields) as said:
        text = await said.text()
        assert said.status == 200, text
        if text == "win":
            return text
        found = json.loads(text)
        assert found is not None, "nobody is known by this id"
        return found


async def test_a_ban_at_one_host_is_in_force_at_another(cell: Cell) -> None:
    one, two, _ = cell.hosts
    headers = {"X-Forwarded-For": "192.0.2.77"}
    async with aiohttp.ClientSession(headers=headers) as theirs, aiohttp.ClientSession() as http:
        culprit, victim = await acquainted(await two.person(theirs), await two.person(http), "gold")
        await culprit.say("message", text="buy my gold")
        await victim.hear("message")
        await victim.say("report", reason="threat")
        await victim.hear("reported")
        async with asyncio.timeout(PATIENCE):
            while not (cases := json.loads((await one.run("safety", "cases", "--json"))[1])):
                pass  # a report is filed as soon as it can be
        words = ("--measure", "ban", "--rule", "R5", "--operator", "ada", "--why", "adverts")
        status, said = await one.run("safety", "decide", cases[-1]["id"], *words)
        assert status == 0, said
        assert (await culprit.hear("error"))["code"] == "banned"
        assert (await victim.hear("left"))["by"] == "moderation"
        for host in cell.hosts:
            await until_refused(host, theirs)


async def until_refused(host: Host, http: aiohttp.ClientSession) -> None:
    """Come until one is not let in any more: each host reads for itself what is new."""

    async def come() -> None:
        while True:
            person = await host.person(http)
            await person.socket.close()

    with pytest.raises(aiohttp.WSMessageTypeError, match="4003"):
        await asyncio.wait_for(come(), PATIENCE)
