"""Saved logs over both databases and both kinds of object store: saved whole or not at all, shown as said, gone when deleted."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import zlib
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from server.data.database import schema_migration
from server.data.errors import NotSaved, ObjectsAway, StoreAway
from server.data.records.transcript import Line, Transcript, Unreadable, of_ring, pack, unpack
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.security.url_token_generator import decode
from tests.server.data.conftest import NOW, Kit, address, make_kit, people, transcript
from tests.support import services
from tests.support.forkserver import forked

HOSTILE = (
    "<script>alert(1)</script>",
    "\u202eevil\u202c",
    "x" * 10_240,
    "a\u0000b".replace("\u0000", "\u2400"),
    "🧑‍🚀\n\ttab",
    "=1+1",
)


@pytest.fixture(params=["folder", "s3"])
def object_settings(request: pytest.FixtureRequest) -> ObjectSettings:
    if request.param == "folder":
        return ObjectSettings()
    bucket: services.S3 = request.getfixturevalue("bucket")
    name = f"s3://{bucket.bucket}/{os.urandom(6).hex()}"
    return ObjectSettings(
        url=name, endpoint=bucket.endpoint, access_key=bucket.access_key, secret_key=bucket.secret_key
    )


async def test_what_was_saved_is_shown_word_for_word(kit: Kit) -> None:
    said = transcript(*HOSTILE, common=("sailing", "ünïcode"), colleges=("uio.no", ""), question="why?", cut=True)
    saved = await kit.logs.save(said, people())
    assert await kit.logs.show(saved.log) == said
    assert kit.logs.saved == 1


async def test_nothing_in_the_object_can_be_read_without_the_row(kit: Kit) -> None:
    await kit.logs.save(transcript("a secret sentence"), people())
    [name] = [name async for name in kit.objects.names("logs")]
    body = await kit.objects.get(name)
    assert body is not None
    assert b"sentence" not in body
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM log")
    assert await kit.objects.get(name) == body


async def test_the_store_holds_only_a_keyed_hash_of_the_addresses(kit: Kit) -> None:
    saved = await kit.logs.save(transcript(), people())
    async with kit.database.read() as connection:
        rows = repr(
            [(await connection.exec_driver_sql(f"SELECT * FROM {name}")).all() for name in ("log", "log_party")]  # noqa: S608 - a constant
        )
    for secret in (saved.log, saved.delete):
        assert secret not in rows
        assert repr(decode(secret))[2:-1] not in rows
    assert address(11) not in rows


async def test_the_private_part_names_both_people_to_who_has_the_key(kit: Kit) -> None:
    await kit.logs.save(transcript(), people())
    async with kit.database.read() as connection:
        rows = (await connection.exec_driver_sql("SELECT side, identity, address FROM log_party ORDER BY side")).all()
    assert [kit.pseudonyms.kept_address(bytes(row.address)).address for row in rows] == [address(11), address(22)]
    assert [bytes(row.identity) for row in rows] == [kit.pseudonyms.kept_identity(11), kit.pseudonyms.kept_identity(22)]


@pytest.mark.parametrize("guess", ["", "x", "A" * 22, "A" * 21, "/" * 22, "é" * 22, "A" * 10_000, "../../secret"])
async def test_a_wrong_address_finds_nothing(kit: Kit, guess: str) -> None:
    await kit.logs.save(transcript(), people())
    assert await kit.logs.show(guess) is None
    assert not await kit.logs.exists(guess)
    assert not await kit.logs.delete_by_secret(guess)
    assert await kit.count("log") == 1


async def test_the_delete_address_removes_row_people_and_object(kit: Kit) -> None:
    saved = await kit.logs.save(transcript(), people())
    assert await kit.logs.exists(saved.delete)
    assert not await kit.logs.delete_by_secret(saved.log)
    assert await kit.logs.delete_by_secret(saved.delete)
    assert await kit.logs.show(saved.log) is None
    assert not await kit.logs.delete_by_secret(saved.delete)
    assert [await kit.count(name) for name in ("log", "log_party", "doomed")] == [0, 0, 0]
    assert [name async for name in kit.objects.names("logs")] == []
    assert len([name async for name in kit.objects.names("erasures")]) == 1


async def test_each_of_the_two_can_remove_it_and_nobody_else(kit: Kit) -> None:
    for person in (11, 22):
        saved = await kit.logs.save(transcript(), people())
        for stranger in (0, 33):
            assert not await kit.logs.delete_by_participant(saved.log, stranger)
        assert await kit.logs.delete_by_participant(saved.log, person)
        assert await kit.logs.show(saved.log) is None


async def test_one_log_goes_and_the_other_stays(kit: Kit) -> None:
    one, two = await kit.logs.save(transcript("one"), people()), await kit.logs.save(transcript("two"), people())
    await kit.logs.delete_by_secret(one.delete)
    shown = await kit.logs.show(two.log)
    assert shown is not None
    assert shown.lines[0].text == "two"


async def test_a_log_whose_object_is_gone_or_changed_is_as_if_it_were_not_there(kit: Kit) -> None:
    saved = await kit.logs.save(transcript(), people())
    [name] = [name async for name in kit.objects.names("logs")]
    await kit.objects.put(name, b"something else altogether, longer than a nonce")
    assert await kit.logs.show(saved.log) is None
    await kit.objects.delete(name)
    assert await kit.logs.show(saved.log) is None


async def test_an_interrupted_save_is_cleared_away_by_the_sweep(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    real = kit.objects.put

    async def put_then_lose_the_database(name: str, body: bytes) -> None:
        await real(name, body)
        raise StoreAway("gone")

    monkeypatch.setattr(kit.objects, "put", put_then_lose_the_database)
    with pytest.raises(NotSaved):
        await kit.logs.save(transcript(), people())
    monkeypatch.undo()
    assert await kit.count("log") == 0
    assert len([name async for name in kit.objects.names("logs")]) == 1
    assert await kit.logs.sweep() == 0
    kit.now += 3601
    assert await kit.logs.sweep() == 1
    assert [name async for name in kit.objects.names("logs")] == []
    assert [name async for name in kit.objects.names("erasures")] == []


KILLED = forked("""
import asyncio, os, signal, sys
from pathlib import Path
from server.ops.config.settings import Objects
from server.data.chat_logs.saved_logs import SavedLogs
from tests.server.data.conftest import make_kit, people, transcript
async def main():
    kit = make_kit(sys.argv[1], Path(sys.argv[2]), Objects(**eval(sys.argv[3])))
    saved = await kit.logs.save(transcript("kept"), people())
    print(saved.log, flush=True)
    point = sys.argv[4]
    if point == "before-put":
        async def put(*a): os.kill(os.getpid(), signal.SIGKILL)
        kit.objects.put = put
    if point == "after-put":
        real = kit.objects.put
        async def put(*a):
            await real(*a)
            os.kill(os.getpid(), signal.SIGKILL)
        kit.objects.put = put
    if point == "in-delete":
        async def put(*a): os.kill(os.getpid(), signal.SIGKILL)
        kit.objects.put = put
        await kit.logs.delete_by_secret(saved.delete)
    await kit.logs.save(transcript("never"), people())
asyncio.run(main())
""")


@pytest.mark.blocking  # runs a program and waits for it
@pytest.mark.parametrize("object_settings", ["folder"], indirect=True)
@pytest.mark.parametrize(("point", "left"), [("before-put", 1), ("after-put", 1), ("in-delete", 0)])
async def test_kill_9_leaves_a_save_or_a_deletion_done_or_to_be_continued(
    kit: Kit, url: str, object_settings: ObjectSettings, point: str, left: int
) -> None:
    plain = {key: value for key, value in object_settings.model_dump().items() if isinstance(value, str)}
    plain |= {key: getattr(object_settings, key).get_secret_value() for key in ("access_key", "secret_key")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, url, str(kit.data), repr(plain), point,
        cwd=Path(__file__).parents[4], stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert await kit.count("log") == left
    shown = await kit.logs.show(out.decode().strip())
    assert (shown is not None) == bool(left)
    kit.now += 3700
    await kit.logs.sweep()
    assert await kit.count("doomed") == 0
    assert len([name async for name in kit.objects.names("logs")]) == left


@pytest.mark.blocking  # a server of the test's own
async def test_an_object_store_that_answers_500_refuses_the_save_and_keeps_the_deletion_for_later(
    tmp_path: Path,
) -> None:
    kept: dict[str, bytes] = {}
    broken = [False]

    async def answer(request: web.Request) -> web.Response:
        if broken[0]:
            return web.Response(status=500)
        if request.method == "PUT":
            kept[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST":  # S3's deletion of many
            names = re.findall(r"<Key>([^<]+)</Key>", await request.text())
            for name in names:
                kept.pop(f"/b/{name}", None)
            done = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            return web.Response(
                text=f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{done}</DeleteResult>'
            )
        return web.Response(status=404)

    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settings = ObjectSettings(
        url="s3://b", endpoint=f"http://127.0.0.1:{runner.addresses[0][1]}", access_key="a", secret_key="b", timeout=2.0
    )  # type: ignore[arg-type]
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"
    kit = make_kit(url, tmp_path, settings)
    await schema_migration.migrate_apart(url, tmp_path)
    saved = await kit.logs.save(transcript(), people())
    broken[0] = True
    with pytest.raises(NotSaved):
        await kit.logs.save(transcript(), people())
    with pytest.raises(ObjectsAway):
        await kit.logs.show(saved.log)
    assert await kit.logs.delete_by_secret(saved.delete)
    assert await kit.logs.show(saved.log) is None
    assert await kit.count("doomed") == 2
    broken[0] = False
    kit.now += 3700
    assert await kit.logs.sweep() == 2
    assert [path for path in kept if "/logs/" in path] == []
    await kit.database.close()
    await runner.cleanup()


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(deadline=None)
@given(st.lists(texts, max_size=20), st.booleans(), texts)
def test_a_transcript_comes_back_as_it_was(said: list[str], cut: bool, question: str) -> None:
    whole = Transcript(
        "spy",
        NOW,
        tuple(Line(i & 1, NOW + i, text) for i, text in enumerate(said)),
        cut,
        ("a",),
        ("x", ""),
        question,
    )
    assert unpack(pack(whole)) == whole


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_transcript_or_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(body)


def test_the_ring_s_lines_become_text_and_a_cut_is_told() -> None:
    lines, cut = of_ring([(1, 0, 5, b'say \\"hi\\"'), (2, 1, 6, b"\\u00fc\\n")])
    assert [line.text for line in lines] == ['say "hi"', "ü\n"]
    assert not cut
    assert of_ring([(7, 1, 6, b"x")])[1]
    assert of_ring([]) == ((), False)


def test_a_bomb_does_not_unpack() -> None:
    with pytest.raises(Unreadable):
        unpack(zlib.compress(b"[" + b" " * 20_000_000 + b"]"))
