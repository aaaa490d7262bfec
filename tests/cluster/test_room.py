"""One waiting room for three hosts: people meet and talk over hosts, whatever is cut or leaves; no line is lost or doubled, no chat has one end."""

from __future__ import annotations

import asyncio
import itertools
import json

import aiohttp
import pytest

from server.fleet.supervisor.host_drain_report import NOT_TAKEN
from tests.cluster.people import Door, doors, pairs
from tests.cluster.rig import PATIENCE, Cluster, Host, acquainted
from tests.server.main.processes.test_process_group import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # makes and cuts networks


def across(ways: list[Door]) -> list[tuple[Door, Door]]:
    """Each host with each other, both ways round: where two meet may depend on who came first."""
    return list(itertools.permutations(ways, 2))


async def test_people_of_two_hosts_meet_and_talk(cluster: Cluster) -> None:
    async with doors(*cluster.hosts) as ways, pairs(*across(ways), word="over hosts") as talks:
        for pair in talks:
            await pair.further(50)
            await pair.end()
        async with pairs((ways[1], ways[1]), word="beside") as others:
            await others[0].further()
            await others[0].end()


async def test_who_was_elsewhere_meets_the_next_one_anywhere(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    people = [await host.person(http) for host in cluster.hosts]
    for number, (one, two) in enumerate(itertools.combinations(people, 2)):
        await talk(*await acquainted(one, two, f"chat {number}"))
        await one.say("leave")
        assert (await two.hear("left"))["by"] == "stranger"
    for person in people:
        await person.say("ping")
        await person.hear("pong")


async def test_chats_over_hosts_bear_that_three_of_ten_packets_are_lost(cluster: Cluster) -> None:
    async with doors(*cluster.hosts) as ways, pairs(*across(ways), word="noise") as talks:
        for host in cluster.hosts:
            host.drops.set(0.3)
        await asyncio.gather(*[pair.further(100) for pair in talks])
        for host in cluster.hosts:
            host.drops.set()
        for pair in talks:
            await pair.further()
            if pair.over:  # a way that gives nothing for two seconds is given up, and perhaps the other host
                async with asyncio.timeout(PATIENCE):
                    for side in pair.sides:
                        await side.told.wait()
                pair.judge()
            else:
                await pair.end(refusals=True)  # who was told to come back says at once what was not taken


async def test_a_cut_between_two_who_talk_is_told_to_both_and_costs_no_others(cluster: Cluster) -> None:
    one, two, three = cluster.hosts
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


async def test_a_way_between_two_hosts_that_breaks_for_seconds_ends_no_chat(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    one, two, _ = cluster.hosts
    ended = 'serendip_tunnels_ended_total{why="dropped"}'
    async with doors(one, two) as (at_one, at_two), pairs((at_one, at_two), (at_two, at_one), word="broken") as talks:
        before = [await host.counts(http, ended) for host in (one, two)]
        for pair in talks:
            await pair.further()
        two.drops.set(senders=[one.machine])
        async with asyncio.timeout(PATIENCE):
            while sum([await host.counts(http, ended) for host in (one, two)]) < sum(before) + len(talks):
                pass  # each asks over the network
        two.drops.set()
        for pair in talks:
            await pair.further(40)
            await pair.end(refusals=True)
            assert sorted(side.resumed for side in pair.sides) == [0, 1], "who is at the edge came back to it"


async def test_nats_is_killed_while_people_of_two_hosts_talk(cluster: Cluster) -> None:
    async with doors(*cluster.hosts) as ways, pairs(*across(ways), word="no NATS") as talks:
        async with cluster.without_nats():
            for pair in talks:
                await pair.further(50)
        await cluster.whole()
        for pair in talks:
            await pair.end()
        assert [side.drops for pair in talks for side in pair.sides] == [0] * (2 * len(talks))


async def test_a_host_is_evacuated_and_nobodys_chat_ends(cluster: Cluster) -> None:
    one, two, three = cluster.hosts
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
            await cluster.whole()
        async with pairs((at_one, at_one), word="back") as (again,):
            await again.further()
            await again.end()


async def test_an_evacuation_that_comes_to_nothing_is_told_and_people_are_sent_back(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    one, two, three = cluster.hosts
    people = await one.people(http, 4)
    try:
        for host in (two, three):
            host.drops.set(senders=[one.machine])
        _, said = await one.run("drain", "--json")
        last = json.loads(said)
        assert (last["people"], last["stayed"], last["said"]) == (0, len(people), NOT_TAKEN)
        for person in people:
            assert (await person.hear("error"))["code"] == "restart"
        left = {line["process"]: (line["people"], line["stayed"]) for line in one.server.events("host.left")}
        assert left["worker 1"] == (0, len(people))
    finally:
        for host in (two, three):
            host.drops.set()
        await one.again()
    await cluster.whole()


async def test_who_comes_back_to_a_host_that_cannot_reach_theirs_is_told_so_and_it_is_counted(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    one, two, _ = cluster.hosts
    found, back = (
        'serendip_session_lookups_total{result="found"}',
        'serendip_migrations_total{result="back",way="tunnel",why="resume"}',
    )
    before = [await two.counts(http, line) for line in (found, back)]
    away = await one.person(http)
    away.cut()
    one.drops.set(senders=[two.machine])
    try:
        there = await two.person(http)
        await there.say("resume", token=away.token, last=0)
        assert (await there.hear("resumed", "error"))["code"] == "no_session"
    finally:
        one.drops.set()
    for line, count in zip((found, back), before, strict=True):
        await two.figure(http, line, lambda now, count=count: now == count + 1)  # type: ignore[misc]  # bound now
    assert two.server.events("cluster.stayed")[-1]["why"] == "unreached"
    again = await two.person(http)
    await again.say("resume", token=away.token, last=0)
    assert (await again.hear("resumed", "error"))["type"] == "resumed"


async def test_rolling_upgrades_end_no_chat(cluster: Cluster) -> None:
    async with (
        doors(*cluster.hosts) as ways,
        pairs(*across(ways), *[(way, way) for way in ways], word="roll on") as talks,
    ):
        await rolled(cluster)
        for pair in talks:
            await pair.further()
            await pair.end()
        assert [side.drops for pair in talks for side in pair.sides] == [0] * (2 * len(talks))


async def rolled(cluster: Cluster) -> None:
    """One host after the other, each when the one before is heard again."""
    for host in cluster.hosts:
        before = (await host.stands())["node"]
        status, said = await host.server.upgrade()
        assert status == 0, said
        assert (await host.stands())["node"] != before
        await cluster.whole()


async def test_whoever_comes_back_to_another_host_goes_on_there(cluster: Cluster) -> None:
    one, two, three = cluster.hosts
    async with doors(one, one) as (moving, staying), pairs((moving, staying), word="resume") as (pair,):
        for host in (two, three, one):
            await pair.further()
            moving.to = host
            moving.cut()
            await pair.further(40)
        await pair.end()
        assert [side.drops for side in pair.sides] == [3, 0]
        assert pair.sides[0].resumed == 3


async def test_a_spy_and_two_of_other_hosts_meet(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    spy, *others = [await host.person(http) for host in cluster.hosts]
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


async def test_an_omegle_client_polls_at_another_host(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    one, two, three = cluster.hosts
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


async def test_a_ban_at_one_host_is_in_force_at_another(cluster: Cluster) -> None:
    one, two, _ = cluster.hosts
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
        for host in cluster.hosts:
            await until_refused(host, theirs)


async def until_refused(host: Host, http: aiohttp.ClientSession) -> None:
    """Come until one is not let in any more: each host reads for itself what is new."""

    async def come() -> None:
        while True:
            person = await host.person(http)
            await person.socket.close()

    with pytest.raises(aiohttp.WSMessageTypeError, match="4003"):
        await asyncio.wait_for(come(), PATIENCE)
