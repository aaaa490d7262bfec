"""Saves, as the server asks for them: within a share, beside others, apart from the loop, and never the last of the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.data.chat_logs import saved_logs
from server.data.errors import NotSaved, StoreAway
from server.data.keys.epoch_keys import SIZE, epoch_of
from server.data.records.chat_rows import Party
from server.data.records.store_ports import Saved
from server.data.records.transcript import Transcript
from server.data.store import store_runner
from server.data.store.store_runner import SAVES_AGAIN, SAVES_NETWORK
from server.ops.config.settings import Limits, Settings, Store
from server.ops.health.background_tasks import Tasks
from server.ops.security import secret_keys
from tests.server.data.conftest import NOW, ended, people, transcript

ANN, BEN, EVE = Party(0, 11, "192.0.2.1"), Party(0, 12, "198.51.100.1"), Party(0, 13, "203.0.113.1")


async def purged(_: store_runner.Parts) -> None:
    """Nothing is old."""


@asynccontextmanager
async def serving(data: Path, limits: Limits | None = None, room: int = 0) -> AsyncIterator[store_runner.Store]:
    """A store that takes."""
    chosen = Settings(data=data, limits=limits or Limits(), store=Store(room=room))  # type: ignore[arg-type]
    secret = await asyncio.to_thread(secret_keys.load, data)
    store = await asyncio.to_thread(store_runner.Store, chosen, secret, purged, Tasks())
    await store.start()
    await asyncio.wait_for(store.opened.wait(), 30)
    yield store
    await store.close()


def refused(found: list[Saved | BaseException]) -> list[str]:
    """Why, of those that were not saved."""
    errors = [each for each in found if not isinstance(each, Saved)]
    assert all(isinstance(error, NotSaved) for error in errors)
    return [error.why for error in errors if isinstance(error, NotSaved)]


async def test_who_used_up_their_share_is_told_for_how_long_and_nobody_else_is(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(saves_hour=2)) as store:
        for _ in range(2):
            await store.save(transcript(), people(), EVE)
        with pytest.raises(NotSaved) as refusal:
            await store.save(transcript(), people(), EVE)
        assert refusal.value.why == "quota"
        assert 1700 < refusal.value.retry_after <= 1800
        await store.save(transcript(), people(), ANN)
        found = store.reading()
        assert found["serendip_logs_refused"] == {("away",): 0, ("busy",): 0, ("full",): 0, ("quota",): 1}
        assert found["serendip_logs_saved"] == 3


async def test_a_network_that_floods_takes_its_own_places_and_not_those_of_others(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(saves_hour=1000)) as store:
        flood = [asyncio.ensure_future(store.save(transcript(), people(), EVE)) for _ in range(300)]
        await asyncio.sleep(0)
        honest = await asyncio.gather(*(store.save(transcript(), people(), who) for who in (ANN, BEN)))
        assert all(isinstance(saved, Saved) for saved in honest)
        why = refused(await asyncio.gather(*flood, return_exceptions=True))
        assert why == ["busy"] * (300 - SAVES_NETWORK)
        again = (store.save(transcript(), people(), EVE) for _ in range(SAVES_NETWORK + 1))
        [refusal] = [
            said for said in await asyncio.gather(*again, return_exceptions=True) if isinstance(said, NotSaved)
        ]
        assert refusal.retry_after == SAVES_AGAIN


async def test_the_last_of_the_disk_is_not_taken_which_is_told_once(tmp_path: Path) -> None:
    with capture_logs() as said:
        async with serving(tmp_path, room=1 << 60) as store:
            for _ in range(3):
                with pytest.raises(NotSaved) as refusal:
                    await store.save(transcript(), people(), ANN)
                assert (refusal.value.why, refusal.value.retry_after) == ("full", 0)
            assert store.logs.refused["full"] == 3
            assert await store.logs.count() == {"saved": 0, "hidden": 0, "waiting": 0}
    assert [entry["event"] for entry in said].count("store.full") == 1


async def test_a_full_disk_is_told_before_anybody_saves(tmp_path: Path) -> None:
    with capture_logs() as said:
        async with serving(tmp_path, room=1 << 60) as store, asyncio.timeout(30):
            while store.unwell() != ["store: chats are not saved (the disk is full)"]:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            assert store.logs.refused["full"] == 0
    assert [entry["event"] for entry in said].count("store.full") == 1


async def test_saves_count_as_working_again_when_the_database_answers_though_nobody_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Saved:
        try:
            raise ConnectionRefusedError
        except ConnectionRefusedError as error:
            gone = StoreAway()
            gone.__cause__ = error
        raise NotSaved("away") from gone

    monkeypatch.setattr(store_runner, "PROBE_EVERY_S", 0.02)
    monkeypatch.setattr(store_runner, "AWAY_S", 0.0)
    async with serving(tmp_path) as store, asyncio.timeout(30):
        monkeypatch.setattr(store.logs, "save", away)
        with capture_logs() as said:
            with pytest.raises(NotSaved):
                await store.save(transcript(), people(), ANN)
            assert store.unwell() == ["store: chats are not saved (refused)"]
            while store.unwell():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert [(one["event"], one["what"]) for one in said] == [("store.away", "saves"), ("store.back", "saves")]


async def test_a_chat_is_saved_while_records_wait_for_an_epoch_s_key_that_another_host_has(tmp_path: Path) -> None:
    async with serving(tmp_path) as store, asyncio.timeout(30):
        store.epochs.shared = True
        assert store.record(ended(now=NOW))
        while store.writer.reach.cause != "keys":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        assert isinstance(await store.save(transcript(), people(), ANN), Saved)
        assert store.writer.waiting == 1
        await asyncio.to_thread(store.epochs.take, epoch_of(NOW), bytes(SIZE))
        await store.writer.flush()
        assert store.writer.reach.cause is None


async def test_a_log_is_packed_and_unpacked_apart_from_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def watched(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any) -> Any:
            threads.append(threading.current_thread().name)
            return work(*arguments)

        return done

    for name in ("pack", "unpack"):
        monkeypatch.setattr(f"server.data.chat_logs.saved_logs.{name}", watched(getattr(saved_logs, name)))
    async with serving(tmp_path) as store:
        saved = await store.save(transcript("one"), people(), ANN)
        shaped: Transcript | None = await store.logs.shaped(saved.log, watched(lambda said: said))
        assert shaped == transcript("one")
    assert len(threads) == 3
    assert all(name.startswith("log") for name in threads)
