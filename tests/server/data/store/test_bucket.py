"""A bucket that keeps versions would keep what is deleted: it is told at the start and by `serendip db check`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from obstore.exceptions import GenericError, NotFoundError
from typer.testing import CliRunner

from server.data.errors import ObjectsAway
from server.data.objects.object_store import Objects, cause
from server.main.cli import app
from server.ops.config.settings import Objects as ObjectSettings
from tests.server.data.privacy.drive import Running
from tests.server.site.web.servers import Network
from tests.support import services


def of(server: services.S3, bucket: str) -> dict[str, str]:
    """Settings of one bucket."""
    return {
        "url": f"s3://{bucket}/x",
        "endpoint": server.endpoint,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
    }


@pytest.fixture(scope="module")
def versioned(bucket: services.S3) -> str:
    """A bucket that keeps versions."""
    bucket.shell("s3.bucket.create -name versions", "s3.bucket.versioning -name versions -enable")
    assert "Enabled" in bucket.shell("s3.bucket.versioning -name versions")
    return "versions"


async def test_a_bucket_tells_whether_it_keeps_versions(bucket: services.S3, versioned: str, tmp_path: Path) -> None:
    for name, keeps in ((bucket.bucket, False), (versioned, True)):
        objects = Objects(ObjectSettings.model_validate(of(bucket, name)), tmp_path)
        assert await objects.versioned() is keeps
        assert [left async for left in objects.names("")] == []


async def test_a_folder_keeps_none(tmp_path: Path) -> None:
    objects = await asyncio.to_thread(Objects, ObjectSettings(), tmp_path)
    assert not await objects.versioned()


async def test_versions_that_were_kept_once_and_are_no_more_are_no_matter(bucket: services.S3, tmp_path: Path) -> None:
    bucket.shell("s3.bucket.create -name once", "s3.bucket.versioning -name once -enable")
    objects = Objects(ObjectSettings.model_validate(of(bucket, "once")), tmp_path)
    assert await objects.versioned()
    bucket.shell("s3.bucket.versioning -name once -suspend")
    assert not await objects.versioned()


def test_check_says_what_to_do(bucket: services.S3, versioned: str, tmp_path: Path) -> None:
    for name, warned in ((bucket.bucket, False), (versioned, True)):
        told = {f"SERENDIP_OBJECTS__{key.upper()}": value for key, value in of(bucket, name).items()}
        run = CliRunner(env=told | {"SERENDIP_DATA": str(tmp_path)})
        assert run.invoke(app, ["init"]).exit_code == 0
        assert run.invoke(app, ["db", "migrate"]).exit_code == 0
        found = run.invoke(app, ["db", "check"])
        assert found.exit_code == 0
        assert ("Switch versioning off" in found.output) is warned
        assert len(json.loads(run.invoke(app, ["db", "check", "--json"]).stdout)["warnings"]) == warned


@pytest.mark.blocking  # reads the log of a server that is another process
async def test_a_server_warns_at_its_start(bucket: services.S3, versioned: str, tmp_path: Path) -> None:
    told = {f"SERENDIP_OBJECTS__{key.upper()}": value for key, value in of(bucket, versioned).items()}
    server = Running(tmp_path / "data", tmp_path / "server.ops.log", **told)
    try:
        await server.ready()
        async with asyncio.timeout(20):
            while b"store.bucket_versioned" not in server.log.read_bytes():  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"secret_key": "wrong"}, "signature"),
        ({"access_key": "nobodys"}, "denied"),
        ({"endpoint": "http://127.0.0.1:1", "timeout": "0.5"}, "away"),
    ],
)
async def test_a_request_that_fails_is_counted_by_its_cause(
    bucket: services.S3, tmp_path: Path, change: dict[str, str], why: str
) -> None:
    objects = Objects(ObjectSettings.model_validate(of(bucket, bucket.bucket) | change), tmp_path)
    with pytest.raises(ObjectsAway):
        await objects.put("name", b"body")
    failures = objects.reading()["serendip_objects_failures"]
    assert {labels: count for labels, count in failures.items() if count} == {("put", why): 1}  # type: ignore[union-attr]


def test_a_bucket_or_folder_that_is_not_there_is_missing() -> None:
    listed = GenericError(
        "403? no: <Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"
    )
    assert {cause(error) for error in (NotFoundError(), FileNotFoundError(), listed)} == {"missing"}


def test_check_names_the_cause_of_a_failure_and_its_remedy(bucket: services.S3, tmp_path: Path) -> None:
    for change, said, remedy in (
        ({"secret_key": "wrong"}, "signature (SignatureDoesNotMatch)", "timedatectl"),
        ({"access_key": "nobodys"}, "denied (InvalidAccessKeyId)", "objects.access_key"),
        ({"endpoint": "http://127.0.0.1:1", "timeout": "0.5"}, "away (", "objects.endpoint"),
    ):
        told = {
            f"SERENDIP_OBJECTS__{key.upper()}": value for key, value in (of(bucket, bucket.bucket) | change).items()
        }
        run = CliRunner(env=told | {"SERENDIP_DATA": str(tmp_path)})
        assert run.invoke(app, ["init"]).exit_code == 0
        (line,) = [line for line in run.invoke(app, ["check"]).output.splitlines() if "objects" in line.split()[1:2]]
        assert line.startswith("error")
        assert said in line
        assert remedy in line


@pytest.mark.timeout(180)
@pytest.mark.blocking  # reads the log of a server that is another process
async def test_a_bucket_that_dies_under_an_idle_server_is_noticed(bucket: services.S3, tmp_path: Path) -> None:
    between = await asyncio.to_thread(Network, int(bucket.endpoint.rpartition(":")[2]))
    chosen = of(bucket, bucket.bucket) | {"endpoint": between.url.rstrip("/"), "timeout": "2"}
    told = {f"SERENDIP_OBJECTS__{key.upper()}": value for key, value in chosen.items()}
    server = Running(tmp_path / "data", tmp_path / "server.ops.log", **told)
    try:
        await server.ready()

        async def until(status: str) -> str:
            async with aiohttp.ClientSession() as client, asyncio.timeout(90):
                while True:
                    async with client.get(f"http://127.0.0.1:{server.port}/readyz") as answer:
                        found = await answer.json()
                    if found["status"] == status:
                        return str(found["degraded"])
                    await asyncio.sleep(0.2)

        await until("ready")
        between.cut()
        assert "the object store is away (away)" in await until("degraded")
        between.mend()
        await until("ready")
        events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        assert [one["event"] for one in events if one.get("what") == "objects"] == ["store.away", "store.back"]
    finally:
        await asyncio.to_thread(server.stop)
        between.close()


async def test_a_request_that_is_answered_is_timed_by_what_was_asked_and_nothing_there_is_an_answer(
    bucket: services.S3, tmp_path: Path
) -> None:
    objects = Objects(ObjectSettings.model_validate(of(bucket, bucket.bucket)), tmp_path)
    await objects.put("timed", b"body")
    assert await objects.get("timed") == b"body"
    await objects.delete("timed")
    assert await objects.get("timed") is None
    reading = objects.reading()
    times = {operation: sum(found.counts) for (operation,), found in reading["serendip_objects_seconds"].items()}  # type: ignore[union-attr]
    assert times == {"put": 1, "get": 2, "delete": 1}
    assert not any(reading["serendip_objects_failures"].values())  # type: ignore[union-attr]


async def test_a_folder_that_takes_nothing_is_a_cause_of_its_own(tmp_path: Path) -> None:
    objects = await asyncio.to_thread(Objects, ObjectSettings(), tmp_path)
    await asyncio.to_thread((tmp_path / "objects").rmdir)
    await asyncio.to_thread((tmp_path / "objects").write_bytes, b"a file, where the folder was")
    with pytest.raises(ObjectsAway):
        await objects.put("logs/name", b"body")
    assert sum(objects.reading()["serendip_objects_failures"].values()) == 1  # type: ignore[union-attr]
