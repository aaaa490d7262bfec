"""A leak that is planted in a real place is found there: rows, objects, files, logs, cookies, the browser, mail, what commands print.

The canary run finds what it expects and nothing else; this is what shows that "nothing else" means something. Forms are
tried one by one in `test_scanner.py`; here each kind of place has one, in a form that such a place may give it.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import urllib.parse
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from server.data.database.key_fingerprints import KeyFingerprints
from server.data.schema.record_schema import audit, chat, doomed, party
from server.data.store.store_runner import Parts
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.security import secret_keys
from tests.server.data.conftest import NOW, Kit
from tests.server.data.privacy import rest
from tests.server.data.privacy.browsers import seen_in
from tests.server.data.privacy.drive import Person, Sinks
from tests.server.data.privacy.scanner import Scanner
from tests.server.data.privacy.test_canary import own
from tests.support import services


@pytest.fixture
def object_settings(bucket: services.S3, tmp_path: Path) -> ObjectSettings:
    """Objects on the S3 server, in a folder of this test's own."""
    return ObjectSettings(
        url=f"s3://{bucket.bucket}/{tmp_path.name}",
        endpoint=bucket.endpoint,
        access_key=bucket.access_key,
        secret_key=bucket.secret_key,
    )  # type: ignore[arg-type]


@pytest.fixture
async def leaker() -> Person:
    """Somebody whose values leak; no connection is made."""
    made = Person("z", "127.83.99.203", 1, Sinks())
    made.cookie, made.url = "Qk3vVb8mZx1LwPp0aTt5Yg", "/log/8mZx1LwPp0aTt5YgQk3vVb"
    await made.http.close()
    return made


async def plant_rows(kit: Kit, who: Person) -> set[tuple[str, str]]:
    """Text, bytes, a packed address, a number, a hash, and a cell that PostgreSQL compresses."""
    packed = bytes(map(int, who.address.split(".")))
    long = f"{who.mark('note')} and so on, " * 400
    row = {
        "time": NOW,
        "operator": who.address,
        "action": "x",
        "why": urllib.parse.quote(who.mark("talk")),
        "outcome": long,
    }
    number = int.from_bytes(packed, "big")
    async with kit.database.write() as connection:
        await connection.execute(insert(audit).values(row))
        await connection.execute(
            insert(audit).values(row | {"operator": "x", "why": "x", "outcome": "x", "subject": packed})
        )
        hashed = hashlib.sha256(who.cookie.encode()).digest()
        await connection.execute(insert(doomed).values(object="x", since=number, erasure=hashed))
        if kit.database.sqlite:
            await connection.execute(
                insert(chat).values(id=b"0" * 16, mode="text", started=0, ended=0, how=who.mark("bad"))
            )
            await connection.execute(
                insert(party).values(chat=b"0" * 16, side=0, ended=0, address=who.mark("private").encode("utf-16-le"))
            )
    found = {
        ("address", "audit.operator"),
        ("talk", "audit.why"),
        ("note", "audit.outcome"),
        ("address", "audit.subject"),
    }
    found |= {("identity", "doomed.erasure"), ("address", "doomed.since")}
    return found | ({("bad", "chat.how"), ("private", "party.address")} if kit.database.sqlite else set())


def parts_of(kit: Kit) -> Parts:
    """What commands and the server share."""
    fingerprints = KeyFingerprints(kit.database, secret_keys.load(kit.data), kit.pseudonyms, kit.retention)
    return Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, fingerprints)


async def test_a_leak_into_any_row_is_found(kit: Kit, leaker: Person) -> None:
    planted = await plant_rows(kit, leaker)
    parts = await asyncio.to_thread(parts_of, kit)
    found = await rest.rows(Scanner(leaker.markers()), parts)
    assert {(hit.item, hit.place) for hit in found} == planted


@pytest.mark.blocking  # reads files
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_leak_into_a_name_or_a_body_of_an_object_or_a_file_is_found(
    kit: Kit, leaker: Person, tmp_path: Path
) -> None:
    await kit.objects.put(f"logs/{leaker.cookie}", gzip.compress(f"[{leaker.mark('talk')}]".encode()))
    await kit.objects.put("logs/1", b"\0\1" + base64.b64encode(leaker.mark("question").encode()))
    parts = await asyncio.to_thread(parts_of, kit)
    scanner = Scanner(leaker.markers())
    found = {(hit.item, hit.place) for hit in await rest.objects(scanner, parts)}
    assert found == {("identity", "object name"), ("talk", "object"), ("question", "object")}
    (tmp_path / f"{leaker.address}.lock").touch()
    (tmp_path / "core").write_bytes(bytes(5000) + leaker.mark("private").encode("utf-16-le") + bytes(5000))
    async with kit.database.write() as connection:  # deleted, but SQLite's write-ahead log still has it
        await connection.execute(
            insert(audit).values(time=NOW, operator="x", action="x", why=leaker.mark("note"), outcome="x")
        )
    async with kit.database.write() as connection:
        await connection.execute(text("DELETE FROM audit"))
    found = {(hit.item, hit.place) for hit in rest.files(scanner, tmp_path)}
    assert found == {("address", "file name"), ("private", "file"), ("note", "file")}


def test_a_leak_into_a_field_of_a_log_is_found_by_its_event(leaker: Person, tmp_path: Path) -> None:
    lines = (
        {"event": "server.ready", "host": leaker.address},
        {"event": "http.bad", "error": f"bad cookie {base64.urlsafe_b64encode(leaker.cookie.encode()).decode()}"},
    )
    file = tmp_path / "server.ops.log"
    file.write_text("\n".join(map(json.dumps, lines)) + f"\nTraceback: {leaker.mark('talk')!r}\n")
    found = {(hit.item, hit.place) for hit in rest.log(Scanner(leaker.markers()), file)}
    assert found == {("address", "log:server.ready.host"), ("identity", "log:http.bad.error"), ("talk", "log:?")}


def test_a_leak_into_anything_that_a_browser_keeps_is_found(leaker: Person) -> None:
    other = Person.__new__(Person)
    other.__dict__.update(leaker.__dict__ | {"name": "y"})
    kept = {
        "cookies": {"id": "own", "track": leaker.cookie},
        "local": {
            "serendip": json.dumps({"tags": [leaker.mark("private")], "pairs": ["own 1"]}),
            "spy": leaker.mark("talk").upper(),
        },
        "session": {"serendip.way": '{"token": "own"}', "x": leaker.address},
        "cached": ["/", f"<p>{leaker.mark('question')}"],
        "databases": [leaker.mark("note")],
        "frames": [json.dumps({"college": leaker.mark("mail")})],
        "seen": f'<p data-peer="{leaker.host}">',
    }
    scanner = Scanner(leaker.markers())
    found = {(hit.item, hit.place) for place, body in seen_in(other, kept) for hit in scanner.scan(place, body)}  # type: ignore[arg-type]
    assert found == {
        ("identity", "cookie track"),
        ("private", "browser serendip/tags"),
        ("talk", "browser spy"),
        ("address", "browser x"),
        ("question", "browser cache"),
        ("note", "browser databases"),
        ("mail", "user:y"),
        ("host", "user:y"),
    }


def test_a_leak_into_a_mail_a_metric_a_header_or_a_command_is_found_and_only_ones_own_is_not(leaker: Person) -> None:
    bodies = {
        "relay": f"Subject: =?utf-8?b?{base64.b64encode(leaker.mark('private').encode()).decode()}?=\n\nhello",
        "metrics": f'serendip_waiting{{topic="{leaker.mark("shared")}"}} 1',
        "anyone": f"[('X-Peer', '{leaker.address}')]",
        "printed by log count": f"saved: 1 ({leaker.url})",
        "user:y": leaker.mark("talk"),
        "user:z": leaker.mark("talk"),
    }
    scanner = Scanner(leaker.markers())
    found = [hit for place, body in bodies.items() for hit in scanner.scan(place, body)]
    assert {(hit.item, hit.place) for hit in found if not own(hit)} == {
        ("private", "relay"),
        ("shared", "metrics"),
        ("address", "anyone"),
        ("log_url", "printed by log count"),
        ("talk", "user:y"),
    }
