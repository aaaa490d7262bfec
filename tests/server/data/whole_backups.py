"""Provide a service with whole backups in a folder or a bucket, and an empty place to restore them into."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.data.backup import sealed_box
from server.data.backup.backup_place import Place, find, open_place
from server.data.backup.backup_signature import Check, signing_keys
from server.data.backup.full_backup import BackupMaker, Made
from server.data.backup.ledger_mirror import LedgerMirror, Mirrored
from server.data.database.database import Database
from server.data.privacy import audit_log
from server.data.store.full_restore import FullRestore, FullyRestored
from server.data.store.store_runner import Parts, open_parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from tests.house.sources import ROOT
from tests.server.data.conftest import Kit
from tests.support import services
from tests.support.stores import ANEW

ELSEWHERE = "elsewhere"  # a second database of the server


@dataclass
class Case:
    """A service with a place of backups, and an empty place to restore into."""

    kit: Kit
    url: str
    other_url: str
    folder: Path
    backup: dict[str, Any]

    def settings(self, data: Path, url: str, **backup: Any) -> Settings:
        """Settings of a host."""
        store = {} if url.startswith("sqlite") else {"url": url}
        values = {"data": str(data), "store": store, "backup": self.backup | backup}
        return Settings.model_validate(values | {"mail": {"password": "hidden-word"}})

    @property
    def here(self) -> Settings:
        """Settings of the service."""
        return self.settings(self.kit.data, self.url)

    @property
    def there(self) -> Settings:
        """Settings of the empty place."""
        return self.settings(self.folder / "there", self.other_url)

    @property
    def place(self) -> Place:
        """The place of the backups."""
        return open_place(self.here.backup)

    @property
    def key(self) -> Any:
        """The private key."""
        return sealed_box.read_key(self.folder / "private.pem")

    @property
    def check(self) -> Check:
        """Of the signatures, with the private key alone."""
        return signing_keys(self.there, self.key).check

    async def make(self, *, within: float = 0.0, **more: Any) -> Made:
        """A backup now; `within`: seconds to wait for the end of another, e.g. for PostgreSQL to notice that its program was killed."""
        settings = self.settings(self.kit.data, self.url, **more)
        return await BackupMaker(settings, self.kit.database, self.kit.objects, self.place).make(
            "ada", "a test", within=within
        )

    async def mirror(self, after: int = 0, now: float = 0.0) -> Mirrored:
        """Copy the ledger beside the backups; each deletion stays in it for 30 days."""
        keys = signing_keys(self.here)
        return await LedgerMirror(self.kit.objects, self.place, keys, 30, lambda: now or time.time()).copy(after)

    async def restore(self, **more: Any) -> FullyRestored:
        """The newest, into the empty place."""
        place = self.place

        async def audit(parts: Parts, _done: FullyRestored) -> None:
            await note_in(parts.database)

        key = more.pop("key", self.key)
        return await FullRestore(self.there, place, find(place, ""), key, lambda *_: None, **more).run(audit)

    def opened(self) -> Parts:
        """Open the restored store, with its own keys."""
        return open_parts(self.there, secret_keys.load(self.there.data))

    async def program(self, act: str, settings: Settings, what: str, count: int) -> int:
        """Make, verify or restore in a process that kills itself there; its status."""
        values = {
            "data": str(settings.data),
            "store": {},
            "backup": self.backup,
            "key": str(self.folder / "private.pem"),
        }
        if not self.url.startswith("sqlite"):
            values["store"] = {"url": settings.store.url.get_secret_value()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.server.data.store.backup_program", act, json.dumps(values), what, str(count),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/client"},
        )  # fmt: skip
        return await process.wait()


async def note_in(database: Database) -> None:
    """A line in the audit log of a database."""
    await audit_log.write_entry(
        database, now=int(time.time()), operator="ada", action="restore", why="a test", outcome=""
    )


def new_case(kit: Kit, url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Case:
    """Return one whose backups are in a folder."""
    folder = tmp_path_factory.mktemp("elsewhere")
    body, key = sealed_box.new_key()
    (folder / "private.pem").write_bytes(body)
    other = url
    if not url.startswith("sqlite"):
        cluster: services.Postgres = request.getfixturevalue("cluster")
        if not cluster.sql("SELECT 1 FROM pg_database WHERE datname = 'elsewhere'"):
            cluster.sql(f"CREATE DATABASE {ELSEWHERE}")
        cluster.sql(ANEW, ELSEWHERE)
        other = cluster.url(ELSEWHERE)
    kit.now = time.time()
    return Case(
        kit,
        url,
        other,
        folder,
        {
            "url": str(folder / "backups"),
            "public_key": sealed_box.public_text(key),
            "signing_key": sealed_box.to_text(sealed_box.signing_key(key)),
            "keep": 3,
        },
    )


def in_bucket(case: Case, request: pytest.FixtureRequest) -> None:
    """Have the backups in a bucket instead."""
    bucket: services.S3 = request.getfixturevalue("bucket")
    case.backup |= {
        "url": f"s3://{bucket.bucket}/{case.folder.parent.name}-{case.folder.name}", "endpoint": bucket.endpoint,
        "access_key": bucket.access_key, "secret_key": bucket.secret_key,
    }  # fmt: skip
