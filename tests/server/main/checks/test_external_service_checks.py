"""The database, the object store, the mail server, LibreTranslate and the TURN server are really asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from bench.video.coturn import Turn
from server.data.database import schema_migration
from server.data.keys.epoch_keys import epoch_of
from server.data.store.store_runner import Parts, open_parts
from server.main.checks.check_finding import Finding, Level
from server.main.checks.external_service_checks import mail, outside
from server.ops.config.settings import Mail, Settings
from server.ops.security import secret_keys
from tests.server.site.college.conftest import Box, Post
from tests.server.trust.text_provider.programs import command, manual_example
from tests.support import services
from tests.support.libretranslate import LibreTranslate
from tests.support.siteverify import Siteverify

pytestmark = pytest.mark.blocking  # makes folders, waits for programs


async def asked(data: Path, **chosen: Any) -> dict[str, Finding]:
    """What is found, by the check's name."""
    settings = Settings.model_validate({"data": data, **chosen})
    held = secret_keys.load(data)
    parts = open_parts(settings, held)
    try:
        return {one.check: one for one in await outside(settings, held, parts)}
    finally:
        await parts.database.close()


async def migrated(data: Path, **chosen: Any) -> None:
    """A database at this program's revision, with its fingerprints."""
    parts: Parts = open_parts(Settings.model_validate({"data": data, **chosen}), secret_keys.load(data))
    await schema_migration.migrate(parts.database)
    await parts.fingerprints.check()
    await parts.database.close()


async def test_a_database_of_its_own_with_a_folder_of_objects_is_well(tmp_path: Path) -> None:
    found = await asked(tmp_path)
    assert (found["database"].level, found["database"].said) == (Level.WARNING, "the database is empty")
    await migrated(tmp_path)
    found = await asked(tmp_path)
    assert {name: one.level for name, one in found.items()} == dict.fromkeys(("database", "keys", "objects"), Level.OK)
    assert list((tmp_path / "objects").rglob("probe-*")) == []


async def test_a_newer_database_and_foreign_keys_are_errors(tmp_path: Path) -> None:
    await migrated(tmp_path)
    (tmp_path / "secret").unlink()
    secret_keys.load(tmp_path, renew=True)
    found = await asked(tmp_path)
    assert (found["keys"].level, found["database"].level) == (Level.ERROR, Level.OK)
    parts = open_parts(Settings(data=tmp_path), secret_keys.load(tmp_path))
    async with parts.database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'z999'")
    await parts.database.close()
    found = await asked(tmp_path)
    assert found["database"].level is Level.ERROR
    assert "newer" in found["database"].said
    assert "migrate" not in found["database"].remedy


async def test_postgresql_is_asked_and_one_that_is_away_is_named_with_its_cause(
    tmp_path: Path, cluster: services.Postgres
) -> None:
    for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
        cluster.sql(statement)
    await migrated(tmp_path, store={"url": cluster.url("postgres")})
    found = await asked(tmp_path, store={"url": cluster.url("postgres")})
    assert (found["database"].level, "clock" in found) == (Level.OK, False)
    nobody = f"postgresql://serendip@127.0.0.1:{services.free_port()}/postgres"
    found = await asked(tmp_path, store={"url": nobody})
    assert found["database"].level is Level.ERROR
    assert "refused" in found["database"].said


async def test_a_bucket_is_written_read_and_emptied_again(tmp_path: Path, bucket: services.S3) -> None:
    where = {"url": f"s3://{bucket.bucket}/check", "endpoint": bucket.endpoint}
    right = {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
    assert (await asked(tmp_path, objects=where | right))["objects"].level is Level.OK
    found = await asked(tmp_path, objects=where | right | {"secret_key": "wrong"})
    assert found["objects"].level is Level.ERROR
    assert "wrong" not in str(found["objects"])


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server that wants a name and a password."""

    def judge(_server: Any, _session: Any, _envelope: Any, _way: str, given: Any) -> AuthResult:
        return AuthResult(success=given.password == b"right")

    server = Post(Box(), hostname="127.0.0.1", port=0, authenticator=judge, auth_require_tls=False)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("chosen", "level"),
    [
        ({"user": "anna", "password": "right"}, Level.OK),
        ({"user": "anna", "password": "mistaken"}, Level.ERROR),
        ({"security": "starttls"}, Level.ERROR),  # this one offers no TLS
        ({"security": "tls"}, Level.ERROR),
        ({"port": 1}, Level.ERROR),
    ],
)
async def test_a_mail_server_is_asked_as_a_mail_would_ask_it(post: Post, chosen: dict[str, Any], level: Level) -> None:
    settings = Mail.model_validate({"host": "127.0.0.1", "port": post.port, "security": "none", **chosen})
    (found,) = await mail(settings)
    assert found.level is level, found
    assert "mistaken" not in str(found)


@pytest.mark.parametrize(("key", "level"), [("sesame", Level.OK), ("mistaken", Level.ERROR)])
async def test_libretranslate_is_asked_for_a_line_with_the_key(tmp_path: Path, key: str, level: Level) -> None:
    theirs = LibreTranslate(key="sesame")
    try:
        found = (await asked(tmp_path, translation={"url": theirs.url, "key": SecretStr(key)}))["translation"]
    finally:
        theirs.stop()
    assert found.level is level, found
    assert "mistaken" not in str(found)


@pytest.mark.parametrize(("key", "level"), [("sesame", Level.OK), ("mistaken", Level.ERROR)])
async def test_the_company_that_checks_people_is_asked_of_an_answer(tmp_path: Path, key: str, level: Level) -> None:
    theirs = Siteverify()
    try:
        found = (await asked(tmp_path, challenge={**theirs.settings, "secret": key}))["challenge"]
    finally:
        theirs.stop()
    assert found.level is level, found
    assert "mistaken" not in str(found)


@pytest.mark.parametrize(("code", "level"), [(manual_example(), Level.OK), ("print('nonsense')", Level.ERROR)])
async def test_a_provider_of_text_is_started_once(tmp_path: Path, code: str, level: Level) -> None:
    chosen = {"provider": "command", "provider_command": command(code)}
    found = (await asked(tmp_path, screening=chosen))["provider"]
    assert found.level == level
    assert "in its jail" in found.said or "it ended by itself" in found.said


async def test_a_turn_server_gives_a_relay_to_who_shares_its_secret(tmp_path: Path) -> None:
    turn = await asyncio.to_thread(Turn, tmp_path)
    try:
        urls = turn.settings["SERENDIP_VIDEO__TURN"]
        secret = turn.settings["SERENDIP_VIDEO__TURN_SECRET"]
        found = await asked(tmp_path, video={"turn": urls, "turn_secret": SecretStr(secret)})
        assert found["turn"].level is Level.OK, found["turn"]
        found = await asked(tmp_path, video={"turn": urls, "turn_secret": SecretStr("another")})
        assert (found["turn"].level, "refused" in found["turn"].said) == (Level.ERROR, True)
    finally:
        await asyncio.to_thread(turn.stop)


async def test_a_key_that_only_another_host_has_is_named_and_no_fault(tmp_path: Path) -> None:
    one, other = services.free_ports(2)
    chosen = {"cluster": {"nats": f"nats://127.0.0.1:{one}", "address": f"127.0.0.1:{other}"}}
    await migrated(tmp_path, **chosen)
    parts = open_parts(Settings.model_validate({"data": tmp_path, **chosen}), secret_keys.load(tmp_path))
    present = epoch_of(time.time())
    await parts.fingerprints.elect(present, bytes(17))  # another host's word
    await parts.database.close()
    found = await asked(tmp_path, **chosen)
    assert (found["keys"].level, found["keys"].said) == (
        Level.WARNING,
        f"of epoch {present}: another host's, and not here",
    )
    assert found["nats"].level == Level.ERROR
    alone = await asked(tmp_path)
    assert (alone["keys"].level, alone["keys"].said) == (Level.ERROR, f"the key of epoch {present} is missing")
