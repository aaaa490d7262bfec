"""Keys that did not make what is in the database are noticed: at the start, and by `db check`."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.database import schema_migration
from server.data.database.key_fingerprints import KeyFingerprints, forget
from server.data.errors import KeysDiffer
from server.data.keys.pseudonyms import open_pseudonyms
from server.data.schema.record_schema import fingerprint
from server.ops.config.settings import Objects, Retention
from server.ops.security import secret_keys
from tests.server.data.conftest import Kit, ended, make_kit
from tests.server.ops.process.test_unix_user_switch import serendip

pytestmark = pytest.mark.blocking  # reads and makes keys
DAY = 86_400


def of(kit: Kit) -> KeyFingerprints:
    """As a server with this data folder has them at its start."""
    return KeyFingerprints(
        kit.database,
        secret_keys.load(kit.data),
        open_pseudonyms(secret_keys.load(kit.data), kit.data),
        kit.retention,
    )


async def names(kit: Kit) -> set[str]:
    """What the database has a check value of."""
    async with kit.database.read() as connection:
        return set((await connection.execute(select(fingerprint.c.name))).scalars())


async def test_the_keys_that_made_a_database_are_its_keys_at_every_start(kit: Kit) -> None:
    for _ in range(2):
        await of(kit).check()
    epochs = {f"epoch {epoch}" for epoch in kit.pseudonyms.epochs.epochs()}
    assert await names(kit) == {"secret", "identity cookies", "kept pseudonyms", *epochs}


async def test_a_rotated_secret_is_known_by_the_previous_one_and_takes_its_place(kit: Kit) -> None:
    await of(kit).check()
    secret_keys.rotate(kit.data)
    await of(kit).check()
    (kit.data / "secret.previous").unlink()
    await of(kit).check()


async def test_another_secret_is_noticed(kit: Kit) -> None:
    await of(kit).check()
    (kit.data / "secret").unlink()
    secret_keys.load(kit.data, renew=True)
    with pytest.raises(KeysDiffer, match=r"the secret is another.*accept-keys"):
        await of(kit).check()


async def test_another_key_of_identities_is_noticed_and_a_lost_one_is_made_again_from_the_same_secret(kit: Kit) -> None:
    await of(kit).check()
    file = kit.data / "keys" / "identity.key"
    file.unlink()
    await of(kit).check()
    secret_keys.rotate(kit.data)
    await of(kit).check()
    file.unlink()
    with pytest.raises(KeysDiffer, match=r"the key of identity cookies is another.*keys/"):
        await of(kit).check()


async def test_a_lost_folder_of_keys_is_noticed_and_nothing_is_noted_of_the_new_one(kit: Kit) -> None:
    await of(kit).check()
    before = await names(kit)
    shutil.rmtree(kit.data / "keys")
    with pytest.raises(KeysDiffer, match=r"the key of epoch \d+ is missing"):
        await of(kit).check()
    assert await names(kit) == before
    await of(kit).accept()
    await of(kit).check()


async def test_a_key_of_another_host_is_noticed(kit: Kit) -> None:
    await of(kit).check()
    epoch = kit.pseudonyms.epochs.epochs()[-1]
    (kit.data / "keys" / f"{epoch}.key").write_bytes(bytes(32))
    with pytest.raises(KeysDiffer, match=f"the key of epoch {epoch} is another"):
        await of(kit).check()


async def test_a_new_epoch_is_noted_while_the_server_runs(kit: Kit) -> None:
    now = int(time.time()) // (30 * DAY)
    (kit.data / "keys" / f"{now}.key").unlink(missing_ok=True)
    running = of(kit)
    await running.check()
    assert f"epoch {now}" not in await names(kit)
    running._pseudonyms.epochs.make(now)
    await running.check()
    assert f"epoch {now}" in await names(kit)


async def test_a_key_that_was_destroyed_by_rule_is_not_missed_not_even_by_an_old_backup(kit: Kit) -> None:
    await of(kit).check()
    epoch = kit.pseudonyms.epochs.epochs()[0]
    await forget(kit.database, [epoch])
    assert f"epoch {epoch}" not in await names(kit)
    kit.pseudonyms.epochs.destroy(epoch)
    await of(kit).check()
    gone = int(time.time()) // (30 * DAY) - 20  # long past retention and the life of a backup
    kit.pseudonyms.epochs.make(gone)
    await of(kit).accept()
    kit.pseudonyms.epochs.destroy(gone)
    await of(kit).check()


async def test_the_purge_forgets_the_keys_that_it_destroys(kit: Kit) -> None:
    await kit.write(ended())
    await of(kit).check()
    oldest = kit.pseudonyms.epochs.epochs()[0]
    kit.now = (oldest + 1) * 30 * DAY + (120 + 30 + 2) * DAY
    await kit.purge().run()
    assert f"epoch {oldest}" not in await names(kit)


def test_a_server_with_other_keys_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    async def fill() -> None:
        kit = await asyncio.to_thread(make_kit, f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())
        await schema_migration.migrate(kit.database)
        await kit.write(ended(now=time.time()))
        await KeyFingerprints(kit.database, secret_keys.load(tmp_path), kit.pseudonyms, Retention()).check()
        await kit.database.close()

    asyncio.run(fill())
    shutil.rmtree(tmp_path / "keys")
    told = serendip([], "serve", "--port", "0", "--data", str(tmp_path))
    line = told.stderr.splitlines()[-1]
    assert told.returncode == 1
    assert "is missing" in line
    assert "accept-keys" in line
    assert "Traceback" not in told.stderr
    checked = serendip([], "db", "check", "--data", str(tmp_path))
    assert checked.returncode == 1
    assert "is missing" in checked.stderr
    assert serendip([], "db", "accept-keys", "--why", "the disk is gone", "--data", str(tmp_path)).returncode == 0
    assert serendip([], "db", "check", "--data", str(tmp_path)).returncode == 0
    assert "accept keys" in serendip([], "privacy", "audit", "--data", str(tmp_path)).stdout
