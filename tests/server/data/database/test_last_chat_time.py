"""The last chat on record is found without a store; where there is no database it stays so."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pydantic import SecretStr

from server.data.database.last_chat_time import last_chat
from server.ops.config.settings import Settings
from server.ops.config.settings import Store as StoreSettings
from tests.server.data.conftest import NOW, Kit, ended


async def test_the_last_chat_is_told_and_none_is_nought(kit: Kit, tmp_path: Path) -> None:
    url = kit.database.engine.url.render_as_string(hide_password=False)
    settings = Settings(data=tmp_path, store=StoreSettings(url=SecretStr(url)))
    assert await last_chat(settings) == 0
    await kit.write(ended(2), ended(1))
    assert await last_chat(settings) == NOW - 86_400


async def test_no_database_is_made(tmp_path: Path) -> None:
    assert await last_chat(Settings(data=tmp_path)) == 0
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
