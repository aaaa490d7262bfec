"""The canary run: what leaves the process, and to whom, equals what the registry declares; nothing that was said is logged or stored in plain.

Over a real server with SQLite and with PostgreSQL, objects on a real S3 server. The expected set is made from the registry:
an item that is handed on is seen by whom it is handed to; an item that is stored plainly is seen in its column; what is
keyed, sealed or in memory only is seen nowhere.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select, text

from server import keys
from server.privacy.model import Column, Cookie, HandedOn, Recipient
from server.privacy.purge import Purge
from server.privacy.registry import REGISTRY
from server.settings import Retention, Settings
from server.store.schema import metadata
from server.store.service import Parts, open_parts
from tests import services
from tests.privacy.drive import Person, Running, Sinks, chat, omegle, pages, spy
from tests.privacy.scanner import Found, Scanner

# What the driver marks, and the item of the registry that it is. "": nobody's business, must be seen nowhere.
ITEMS = {
    "shared": "interests", "private": "", "talk": "talk", "question": "question", "identity": "identity", "address": "address",
    "log_url": "", "log_secret": "log_secret", "token": "", "note": "", "bad": "", "agent": "", "referer": "", "tongue": "", "path": "",
    "randid": "", "broken": "",
}  # fmt: skip
ORDER = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
ADDRESSES = {name: f"127.83.{17 + index}.{201 + index}" for index, name in enumerate(ORDER)}
PARTNERS = {"a": "b", "b": "a", "d": "ce", "g": "h", "c": "de"}  # who is handed what a person says, shares or asks
_names = itertools.count(1)


def expected() -> set[tuple[str, str, str]]:
    """(marker, place, whose) by the registry, for what the driver does."""
    found: set[tuple[str, str, str]] = set()
    for marker, key in ITEMS.items():
        if not key:
            continue
        for place in REGISTRY.item(key).places:
            if isinstance(place, Cookie) and place.name == "id":
                found |= {(marker, "cookie", name) for name in "abcdef"}
            if isinstance(place, Column) and place.form == "plain":
                found |= {(marker, place.name, "a")}
            if isinstance(place, HandedOn) and place.to is Recipient.USER:
                whose = {"talk": "abdg", "question": "c", "shared": "ag"}[marker]
                found |= {(marker, "user", name) for name in whose}
    log = [place for place in REGISTRY.item("log").places if isinstance(place, HandedOn) and place.to is Recipient.LINK]
    if log:  # the text and what they shared of the chat that a saved
        found |= {("talk", "link", "a"), ("talk", "link", "b"), ("shared", "link", "a"), ("log_url", "link", "a")}
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, bucket: services.S3) -> dict[str, str]:
    """Settings of the server, as its environment."""
    found = {
        "SERENDIP_DATA": str(tmp_path / "data"),
        "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/{os.urandom(5).hex()}",
        "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
        "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
        "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
        "SERENDIP_STORE__LINGER": "0",
    }
    if request.param == "postgresql":
        cluster: services.Postgres = request.getfixturevalue("cluster")
        name = f"canary{next(_names)}"
        cluster.sql(f"CREATE DATABASE {name}")
        found["SERENDIP_STORE__URL"] = cluster.url(name)
        found["cluster"] = str(cluster.folder)
    return found


def parts_of(settings: dict[str, str]) -> tuple[Settings, Parts]:
    """The same store, opened by the test."""
    chosen = Settings.model_validate(
        {
            "data": settings["SERENDIP_DATA"],
            "store": {"url": settings.get("SERENDIP_STORE__URL", "")},
            "objects": {
                name.rpartition("__")[2].lower(): value for name, value in settings.items() if "OBJECTS" in name
            },
        }
    )
    return chosen, open_parts(chosen, keys.load(chosen.data))


@pytest.mark.blocking  # reads files of a server that is another process
@pytest.mark.timeout(180)
async def test_what_is_found_is_exactly_what_is_declared(settings: dict[str, str], tmp_path: Path) -> None:
    sinks = Sinks()
    environment = {name: value for name, value in settings.items() if name.isupper()}
    server = Running(tmp_path / "data", tmp_path / "server.log", **environment)
    people: dict[str, Person] = {}
    try:
        await server.ready()
        people = {name: Person(name, ADDRESSES[name], server.port, sinks) for name in ORDER}
        for name in "abcdef":
            await people[name].visit()
        await chat(people["a"], people["b"])
        await spy(people["c"], people["d"], people["e"])
        await omegle(people["g"], people["h"])
        await pages(people["a"], people["f"])
        _, parts = parts_of(settings)
        await settled(parts, 3)
        await break_a_write(parts, people)
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{server.metrics}/metrics") as answer:
            sinks.put("metrics", await answer.read())
    finally:
        for person in people.values():
            await person.close()
        await asyncio.to_thread(server.stop)
    scanner = Scanner([marker for person in people.values() for marker in person.markers()])
    found = [hit for place, bodies in sinks.bodies.items() for body in bodies for hit in scanner.scan(place, body)]
    found = [merged(hit) for hit in found if not own(hit)]
    found += [hit for line in server.log.read_bytes().splitlines() for hit in scanner.scan_log(line)]
    found += await at_rest(scanner, parts, tmp_path, settings)
    assert {hit.triple for hit in found} == expected(), [hit for hit in found if hit.triple not in expected()]
    await life(parts, people["a"])
    await parts.database.close()


def own(hit: Found) -> bool:
    """What a person is sent of their own is not handed to anybody."""
    return hit.place in {f"user:{hit.whose}", "self"}


def merged(hit: Found) -> Found:
    """`user:b` saw it: if b was that person's partner, it was handed to the other person in the chat."""
    kind, _, name = hit.place.partition(":")
    partner = kind == "user" and name in PARTNERS.get(hit.whose, "")
    return Found(hit.item, "user" if partner else hit.place, hit.whose, hit.form, hit.excerpt)


async def settled(parts: Parts, chats: int) -> None:
    """Wait until the records are written."""
    async with asyncio.timeout(20):
        while True:
            async with parts.database.read() as connection:
                if (await connection.execute(text("SELECT count(*) FROM chat"))).scalar_one() >= chats:
                    return
            await asyncio.sleep(0.05)


async def break_a_write(parts: Parts, people: dict[str, Person]) -> None:
    """A write fails in the database while a chat with markers is recorded; then it is mended, and the record is there."""
    async with parts.database.write() as connection:
        before = (await connection.execute(text("SELECT count(*) FROM chat"))).scalar_one()
        await connection.execute(text("ALTER TABLE party RENAME TO elsewhere"))
    again = {name: people[name] for name in "ij"}
    await asyncio.gather(*(who.connect() for who in again.values()))
    for who in again.values():
        await who.say(type="find")
    await asyncio.gather(*(who.hear("matched") for who in again.values()))
    await again["i"].say(type="leave")
    await again["j"].hear("left")
    async with aiohttp.ClientSession() as http:
        async with asyncio.timeout(10):
            while (await http.get(people["a"].base + "/readyz")).status == 200:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
    async with parts.database.write() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO party"))
    await settled(parts, before + 1)


async def at_rest(scanner: Scanner, parts: Parts, root: Path, settings: dict[str, str]) -> list[Found]:
    """Every cell of every row, every object, every file."""
    found: list[Found] = []
    async with parts.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in (await connection.execute(select(table))).mappings():
                for column, value in row.items():
                    found += scanner.scan(f"{table.name}.{column}", value, typed=True)
    async for name in parts.objects.names(""):
        found += scanner.scan("object name", name)
        found += scanner.scan("object", await parts.objects.get(name) or b"")
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "server.log"]  # noqa: ASYNC240 - marked as blocking
    if "cluster" in settings:
        files += [path for path in Path(settings["cluster"]).rglob("*") if path.is_file()]  # noqa: ASYNC240 - marked as blocking
    for path in files:
        found += scanner.scan(f"file {path.name}", path.read_bytes())
    return found


async def life(parts: Parts, saver: Person) -> None:
    """121 days later only what is for ever is left."""
    async with parts.database.read() as connection:
        newest = (await connection.execute(text("SELECT max(ended) FROM party"))).scalar_one()
    later = Purge(parts.database, parts.logs, parts.objects, Retention(), clock=lambda: newest + 121 * 86_400)
    done = await later.run()
    assert done.proved
    async with parts.database.read() as connection:
        for name, left in (("chat", 0), ("party", 0), ("log", 1), ("log_party", 2)):
            assert (
                await connection.execute(select(text("count(*)")).select_from(metadata.tables[name]))
            ).scalar_one() == left
    assert await parts.logs.show(saver.url.rpartition("/")[2]) is not None
