"""The object store, a folder and a bucket: whose threads ask it."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from server.config.settings import Objects as ObjectSettings
from server.store.objects import Objects
from tests.server.store.test_bucket import of


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
    assert [name async for name in objects.names("whose")] == ["whose/body"]
    assert not await objects.versioned()
    await objects.delete("whose/body")
    assert await objects.get("whose/body") is None
    assert came
    assert {name.partition("_")[0] for name in came} == {"objects"}
