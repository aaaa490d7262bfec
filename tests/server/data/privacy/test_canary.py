"""The canary run: what leaves the process, and to whom, equals what the registry declares; nothing that was said is logged or stored in plain.

Over a real server with SQLite and with PostgreSQL, objects on a real S3 server, mail through a real mail server, two of
the people in a real browser. `SEEN` is what the driver does; each line of it must be licensed by the registry, each place
that the registry declares must have a line or a reason, and what is found must equal it: all else is keyed, sealed or in memory only.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select, text

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import BrowserStore, Column, Cookie, HandedOn, Item, ObjectPrefix, Recipient
from server.data.retention.purge import Purge
from server.data.schema.record_schema import metadata
from server.data.store.store_runner import Parts, open_parts
from server.ops.config.settings import Retention, Settings
from server.ops.security import secret_keys
from tests.server.data.privacy import rest
from tests.server.data.privacy.asking import ask
from tests.server.data.privacy.browsers import windows
from tests.server.data.privacy.disclosing import PACKAGE, disclose
from tests.server.data.privacy.drive import Person, Running, Sinks
from tests.server.data.privacy.moderation import moderate, pictured
from tests.server.data.privacy.scanner import Found, Scanner
from tests.server.data.privacy.ways import chat, college, omegle, pages, spy, video
from tests.server.site.college.conftest import Box, box, code_of  # noqa: F401 - a fixture
from tests.support import services

ORDER = "abcdefghijklmnopqr"  # q and r are windows of a browser
ADDRESSES = {name: f"127.83.{17 + index}.{201 + index}" for index, name in enumerate(ORDER)}
DOMAINS = {"k": "uni-bayreuth.de", "l": "swarthmore.edu", "q": "uni-greifswald.de"}
PARTNERS = {"d": "ce", "c": "de"} | {
    one: other for pair in ("ab", "gh", "kl", "mn", "op", "qr") for one, other in (pair, pair[::-1])
}

# What the driver marks, and the items of the registry that it is. Without one it is nobody's business and must be seen nowhere.
ITEMS = {
    "identity": "identity", "address": "address", "shared": "interests log", "private": "interests", "talk": "talk log own_lines",
    "question": "question", "photo": "sent_picture", "pair": "pairs",
    "log_url": "log", "log_secret": "log_secret", "token": "met", "domain": "college college_mail log_college", "proof": "college",
    "mail": "college_mail", "writer": "request_mail", "letter": "", "host": "signal", "ufrag": "signal",
    "plea": "", "about": "", "words": "", "contact": "", "receipt": "", "asked": "", "reach": "", "reply": "", "key": "", "code": "", "ticket": "",
    "note": "", "bad": "", "agent": "", "referer": "", "tongue": "", "path": "", "randid": "",
}  # fmt: skip

# (what, where): whose. The spy sees what is discussed; what a person is sent of their own is not listed.
SEEN = {
    ("identity", "cookie"): "abcdefklqr",
    ("talk", "user"): "abdgkmnopqr",
    ("photo", "user"): "b",
    ("shared", "user"): "agq",
    ("question", "user"): "c",
    ("domain", "user"): "kl",
    ("host", "user"): "mn",  # and not of o and p, one of whom hid addresses
    ("ufrag", "user"): "mnop",
    ("talk", "link"): "abk",
    ("shared", "link"): "a",
    ("log_url", "link"): "ak",
    ("domain", "link"): "kl",
    ("mail", "relay"): "klq",
    ("domain", "relay"): "klq",
    ("writer", "relay"): "f",
    ("shared", "browser serendip/tags"): "q",
    ("private", "browser serendip/tags"): "qr",
    ("token", "browser serendip.way"): "qr",
    ("talk", "browser serendip.talk"): "qr",
    ("pair", "browser serendip/pairs"): "qr",
    ("domain", "browser serendip.college"): "q",
    ("proof", "browser serendip.college"): "q",
    ("talk", "printed by log show"): "ab",
    ("shared", "printed by log show"): "a",
}
# What is sealed at rest and operators look at, with a reason, in the trail: whose it is, and of which item.
LOOKED_AT = {
    ("talk", "printed by safety show"): ("ab", "evidence"),
    ("talk", PACKAGE): ("ab", "evidence"),
    ("shared", PACKAGE): ("a", "log"),
    ("address", PACKAGE): ("a", "address"),
    ("note", "printed by safety show"): ("ab", "report"),
    ("plea", "printed by safety appeals"): ("a", "appeal"),
    ("about", "printed by safety notices"): ("f", "law_notice"),
    ("words", "printed by safety notices"): ("f", "law_notice"),
    ("contact", "printed by safety notices"): ("f", "law_notice"),
    ("asked", "printed by privacy request"): ("f", "request_text"),
    ("reach", "printed by privacy request"): ("f", "request_text"),
}
PLACE = {Recipient.USER: "user", Recipient.LINK: "link", Recipient.RELAY: "relay"}
PRINTED = {"printed by log show": "log"}  # what operators look at, with a reason, in the trail
# Items without a marker, each with the reason.
UNMARKED = {
    "between_hosts": "one host is here, and tells no other: tests/server/fleet/cluster/",
    "country": "two letters, which stand everywhere",
    "chat": "times and words of a list",
    "log_party": "the same address and identity, marked there",
    "hold": "what it names is the same address, marked there",
    "audit": "words of the operator",
    "audit_digest": "a keyed digest of lines of the audit log",
    "erasure": "made of random numbers",
    "access_log": "of a program in front; tests/deploy/test_proxies.py",
    "choices": "words of a list",
    "report": "times and words of a list; its note is sealed, and operators alone see it",
    "case": "times and words of a list",
    "case_subject": "the same address and identity, marked there",
    "evidence": "the same text, marked there",
    "snap": "the same text, marked there: it stands in the pictures that come to the cases",
    "snap_provider": "nobody is asked here: tests/server/trust/pictures/test_remote_scores.py",
    "text_provider": "nobody is asked here: tests/server/trust/text_provider/test_provider_relay.py",
    "video_off": "nobody is in a call with pictures here: tests/engine/conduct/test_video_pauses.py",
    "snap_memory": "nobody is in a call with pictures here: tests/server/trust/evidence/test_picture_evidence.py",
    **dict.fromkeys(("tap", "openers"), "the same text, marked there"),
    "found": "words of a list and numbers of lines",
    "daily": "words of a list and numbers: tests/engine/conduct/test_daily_detections.py",
    "counted": "the random number of a session: tests/server/data/statistics/test_chat_counts.py",
    "translated": "the same text, marked there; nobody asks for a translation here",
    "ban": "the same identity and network, marked there",
    **dict.fromkeys(("appeal", "law_notice"), "sealed; operators alone see it"),
    "operator": "pseudonyms of operators, who have no account here",
    "approval": "words of operators, and nobody asks for one here",
    "notice": "the same identity, marked there",
    "avoid": "sealed, and a number of this service's own",
    "challenge": "a number of the session, to its own browser alone",
    **dict.fromkeys(
        ("captcha", "captcha_address"),
        "no company checks anybody here; tests/server/trust/challenge/test_captcha_verdicts.py",
    ),
    "block": "the same identity, marked there",
    **dict.fromkeys(("limits", "queue", "request_limits", "friction", "age"), "the same address, marked there"),
    "request": "times, words of a list and keyed values",
    "request_text": "sealed; operators alone see it, and it goes when the request is closed",
    "request_answer": "sealed; operators write it",
    **dict.fromkeys(
        ("deletion_notice", "deletion_address"),
        "no provider is told here: tests/server/trust/console/page/test_answering_others.py",
    ),
    **dict.fromkeys(("disclosure", "disclosure_subject"), "words of a list and keyed values: `disclose` writes them"),
    "law_order": "sealed, and the words of the court; its packages are marked there",
    "emergency_review": "words of operators, who review the orders of this run",
    "case_comment": "sealed; moderators write it",
    "answer_template": "texts of moderators",
    "api_token": "names of moderators' programs",
    **dict.fromkeys(
        ("rights_key", "agent_use"), "a keyed value and a time; the key and the code themselves are nowhere"
    ),
    **dict.fromkeys(
        ("deletion", "erased"), "times and keyed values; tests/server/data/retention/test_requested_deletion.py"
    ),
}
# Places that are declared and cannot be seen here.
UNSEEN = {
    "cookie __Host-id": "by HTTPS only; tests/server/ops/security/test_identity_cookie.py",
    **dict.fromkeys(("request_mail.at", "request_mail.answered"), "times"),
}
_names = itertools.count(1)


def places(item: Item) -> set[str]:
    """Where the registry lets a value of an item be seen as it is, by the names of SEEN."""
    found = {name for name, key in PRINTED.items() if key == item.key}
    for place in item.places:
        if isinstance(place, Cookie):
            found.add("cookie" if place.name == "id" else f"cookie {place.name}")
        elif isinstance(place, BrowserStore):
            found.add(f"browser {place.key}")
        elif isinstance(place, Column) and place.form == "plain":
            found.add(place.name)
        elif isinstance(place, HandedOn):
            found.add(PLACE[place.to])
    return found


def test_each_line_is_licensed_and_each_declared_place_has_a_line() -> None:
    licensed = {
        (marker, place)
        for marker, items in ITEMS.items()
        for key in items.split()
        for place in places(REGISTRY.item(key))
    }
    assert set(SEEN) <= licensed
    marked = {key for items in ITEMS.values() for key in items.split()}
    assert marked | set(UNMARKED) == {item.key for item in REGISTRY.items}
    assert not marked & set(UNMARKED)
    for key in marked:
        seen = {place for marker, place in SEEN if key in ITEMS[marker].split()}
        assert places(REGISTRY.item(key)) - seen <= set(UNSEEN), key


def test_what_operators_look_at_is_sealed_at_rest() -> None:
    for _, key in LOOKED_AT.values():
        kept = REGISTRY.item(key).places
        assert any(
            isinstance(place, ObjectPrefix) or (isinstance(place, Column) and place.form == "sealed") for place in kept
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, bucket: services.S3, box: Box) -> dict[str, str]:  # noqa: F811
    """Settings of the server, as its environment."""
    found = {
        "SERENDIP_DATA": str(tmp_path / "data"),
        "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/{os.urandom(5).hex()}",
        "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
        "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
        "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
        "SERENDIP_STORE__LINGER": "0",
        "SERENDIP_RETENTION__PURGE_EVERY": "0",  # an operator's purge must not meet the service's own
        "SERENDIP_MAIL__HOST": "127.0.0.1",
        "SERENDIP_MAIL__PORT": str(box.port),
        "SERENDIP_MAIL__SECURITY": "none",
        "SERENDIP_MAIL__SENDER": "Serendip <hello@chat.example>",
        "SERENDIP_VIDEO__TURN": "turn:127.0.0.1:9",
        "SERENDIP_PICTURES__IN_CHAT": "on",  # without a program that checks them
    }
    if request.param == "postgresql":
        cluster: services.Postgres = request.getfixturevalue("cluster")
        name = f"canary{next(_names)}"
        cluster.sql(f"CREATE DATABASE {name}")
        found["SERENDIP_STORE__URL"] = cluster.url(name)
        found["cluster"] = str(cluster.folder)
    return found


def parts_of(settings: dict[str, str]) -> Parts:
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
    return open_parts(chosen, secret_keys.load(chosen.data))


@pytest.mark.blocking  # reads files of a server that is another process
@pytest.mark.timeout(240)
async def test_what_is_found_is_exactly_what_is_declared(settings: dict[str, str], tmp_path: Path, box: Box) -> None:  # noqa: F811
    sinks = Sinks()
    box.mails.clear()
    environment = {name: value for name, value in settings.items() if name.isupper()}
    server = Running(tmp_path / "data", tmp_path / "server.ops.log", **environment)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, server.stop)
        await server.ready()
        people = {name: Person(name, ADDRESSES[name], server.port, sinks) for name in ORDER}
        for person in people.values():
            stack.push_async_callback(person.close)
        await drive(people, server.port, box, sinks)
        await ask(environment, people["a"], people["f"], sinks)
        parts = await asyncio.to_thread(parts_of, settings)
        stack.push_async_callback(parts.database.close)
        await settled(parts, 7)
        await stored_picture(parts)
        await break_a_write(parts, people)
        await asyncio.to_thread(operate, environment, people["a"], sinks, tmp_path)
        await pictured(parts, people["a"])
        await moderate(environment, people["a"], people["b"], people["f"], sinks)
        await disclose(environment, people["a"], sinks)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{server.metrics}/metrics") as answer,
        ):
            sinks.put("metrics", await answer.read())
        for person in people.values():
            await person.close()
        await asyncio.to_thread(server.stop)
        for to, letter in box.mails:
            sinks.put("relay", f"{to}\n{letter}")
        scanner = Scanner([marker for person in people.values() for marker in person.markers()])
        found = [hit for place, bodies in sinks.bodies.items() for body in bodies for hit in scanner.scan(place, body)]
        found = [merged(hit) for hit in found if not own(hit)]
        found += rest.log(scanner, server.log)
        found += await rest.rows(scanner, parts)
        found += await rest.objects(scanner, parts)
        folders = [tmp_path] + ([Path(settings["cluster"])] if "cluster" in settings else [])
        found += rest.files(scanner, *folders, but=server.log)
        expected = {(marker, place, name) for (marker, place), names in SEEN.items() for name in names}
        expected |= {(marker, place, name) for (marker, place), (names, _) in LOOKED_AT.items() for name in names}
        assert {hit.triple for hit in found} == expected, [hit for hit in found if hit.triple not in expected]
        await life(parts, people["a"])


async def drive(people: dict[str, Person], port: int, box: Box, sinks: Sinks) -> None:  # noqa: F811
    """Everything that people can do today."""
    for name in "abcdefkl":
        await people[name].visit()
    for name, domain in DOMAINS.items():
        people[name].domain = domain
    await chat(people["a"], people["b"])
    await spy(people["c"], people["d"], people["e"])
    await omegle(people["g"], people["h"])
    await college(people["k"], people["l"], box)
    await video(people["m"], people["n"], hidden=False)
    await video(people["o"], people["p"], hidden=True)
    await windows(port, people["q"], people["r"], box, sinks)
    await pages(people["a"], people["f"])
    await pages(people["k"], people["f"])


def own(hit: Found) -> bool:
    """What a person is sent of their own is not handed to anybody."""
    return hit.place in {f"user:{hit.whose}", "self"}


def merged(hit: Found) -> Found:
    """`user:b` saw it: if b was that person's partner, it was handed to the other person in the chat."""
    kind, _, name = hit.place.partition(":")
    return replace(hit, place="user") if kind == "user" and name in PARTNERS.get(hit.whose, "") else hit


def operate(environment: dict[str, str], saver: Person, sinks: Sinks, folder: Path) -> None:
    """What operators do about a person, and its output; the backup lies among the files that are searched."""
    hold = (
        "privacy",
        "hold",
        "place",
        "--address",
        saver.address,
        "--authority",
        "a court",
        "--reason",
        "order 7",
        "--days",
        "3",
    )
    for words in (
        hold,
        ("privacy", "hold", "list", "--json"),
        ("privacy", "hold", "release", "1", "--why", "over"),
        ("privacy", "purge", "--dry-run", "--json"),
        ("log", "show", saver.url, "--why", "a complaint"),
        ("privacy", "audit", "--json"),
        ("db", "backup", str(folder / "one.backup")),
        ("db", "check", "--json"),
    ):
        sinks.put(f"printed by {words[0]} {words[1]}", rest.printed(environment, *words))


async def settled(parts: Parts, chats: int) -> None:
    """Wait until the records are written."""
    async with asyncio.timeout(20):
        while True:
            async with parts.database.read() as connection:
                if (await connection.execute(text("SELECT count(*) FROM chat"))).scalar_one() >= chats:
                    return
            await asyncio.sleep(0.05)


async def stored_picture(parts: Parts) -> None:
    """Wait until the picture of the reported chat is with its case, where its mark is sealed."""
    async with asyncio.timeout(20):
        while True:
            async with parts.database.read() as connection:
                sent = text("SELECT count(*) FROM evidence WHERE kind = 'sent'")
                if (await connection.execute(sent)).scalar_one():
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
        async with asyncio.timeout(60):
            ready = True
            while ready:
                async with http.get(people["a"].base + "/readyz") as answer:  # left open, the collector would complain
                    ready = (await answer.json())["status"] == "ready"
                await asyncio.sleep(0.05)  # it has no event
    async with parts.database.write() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO party"))
    await settled(parts, before + 1)


async def life(parts: Parts, saver: Person) -> None:
    """121 days later only what is for ever is left."""
    async with parts.database.read() as connection:
        newest = (await connection.execute(text("SELECT max(ended) FROM party"))).scalar_one()
    later = Purge(parts.database, parts.logs, parts.objects, Retention(), clock=lambda: newest + 121 * 86_400)
    done = await later.run()
    assert done.proved
    async with parts.database.read() as connection:
        gone = ("chat", "party", "case", "case_subject", "report", "evidence", "ban", "appeal", "law_notice")
        for name, left in (*((name, 0) for name in gone), ("log", 2), ("log_party", 4)):
            assert (
                await connection.execute(select(text("count(*)")).select_from(metadata.tables[name]))
            ).scalar_one() == left
    assert await parts.logs.show(saver.url.rpartition("/")[2]) is not None
