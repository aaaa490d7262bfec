"""The object store, a folder and a bucket: whose threads ask it, and how long one waits for its turn."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from server.data.errors import ObjectsAway
from server.data.objects import object_store as module
from server.data.objects.object_store import Objects
from server.ops.config.settings import Objects as ObjectSettings
from tests.server.data.store.test_bucket import of


@pytest.mark.parametrize("kind", ["folder", "s3"])
async def test_no_thread_but_ours_comes_back_into_python(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ObjectSettings()
    if kind == "s3":
        bucket = request.getfixturevalue("bucket")
        options = ObjectSettings.model_validate(of(bucket, bucket.bucket))
    objects = await asyncio.to_thread(Objects, options, tmp_path)
    loop, came = asyncio.get_running_loop(), set()
    calls = loop.call_soon_threadsafe

    def noted(*words: Any, **more: Any) -> asyncio.Handle:
        came.add(threading.current_thread().name)
        return calls(*words, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    await objects.put("whose/body", b"body")
    assert await objects.get("whose/body") == b"body"
    assert await objects.exists("whose/body")
    assert not await objects.exists("whose/other")
    assert [name async for name in objects.names("whose")] == ["whose/body"]
    assert not await objects.versioned()
    await objects.delete("whose/body")
    assert await objects.get("whose/body") is None
    ours = {"objects", "MainThread"}  # the latter where an answer was there before it was waited for
    assert came
    assert {name.partition("_")[0] for name in came} <= ours


FULL = """
import asyncio, sys
from pathlib import Path
from server.data.errors import ObjectsAway
from server.data.objects.object_store import Objects
from server.ops.config.settings import Objects as ObjectSettings

async def main():
    try:
        await Objects(ObjectSettings(), Path(sys.argv[1])).put("whose/body", bytes(1_000_000))
    except ObjectsAway as away:
        print(away.cause)

asyncio.run(main())
"""


def test_a_folder_on_a_full_disk_is_not_told_as_a_server_that_does_not_answer(tmp_path: Path) -> None:
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    mount = 'mount -t tmpfs -o size=64k none "$1" || exit 77; shift; exec "$@"'
    command = [*alone, "sh", "-c", mount, "sh", str(tmp_path), sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    assert done.stdout.split() == ["disk"], done.stderr


async def test_who_gets_no_turn_in_time_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUESTS", 1)
    objects = await asyncio.to_thread(Objects, ObjectSettings(timeout=0.1), tmp_path)
    over = threading.Event()
    monkeypatch.setattr(objects, "_read", lambda _: over.wait() and None)
    asked = [asyncio.create_task(objects.get(name)) for name in ("hangs", "waits")]
    found = await asyncio.gather(*asked, return_exceptions=True)
    over.set()
    assert [type(one) for one in found] == [ObjectsAway, ObjectsAway]
    assert objects.reading()["serendip_objects_failures"]["get", "away"] == 2
