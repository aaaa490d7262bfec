"""Kept values after a rotation: what is there stays readable, what is new is under the new key, and a host without that key does not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.database.key_fingerprints import KeyFingerprints
from server.data.errors import KeysDiffer
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import open_pseudonyms
from server.data.objects.sealed_objects import Sealed
from server.data.schema.transparency_schema import law_notice
from server.ops.config.settings import Retention
from server.ops.security import secret_keys
from server.trust.decisions.public_notice_work import PublicNoticeWork
from server.trust.moderation_protocol import NoticeForm
from server.trust.reports.illegal_content_notices import PublicNotices
from tests.server.data.conftest import Kit, kit, object_settings, url

__all__ = ["kit", "object_settings", "url"]
pytestmark = pytest.mark.blocking  # reads keys
ADDRESS = "192.0.2.7"


async def test_rows_and_objects_of_before_a_rotation_stay_readable_and_new_ones_have_the_new_key(
    kit: Kit, tmp_path: Path
) -> None:
    data = tmp_path / "of"
    before = open_pseudonyms(secret_keys.load(data), data)
    await PublicNotices(kit.database, before).write(NoticeForm("other", "old", "old words", ""))
    placed = await Sealed(kit.database, kit.objects, before).put("logs/", b"old log", int(kit.now))
    saved, found = before.kept(5, ADDRESS), before.safety(5, ADDRESS)

    assert secret_keys.rotate_kept(data) == 1
    after = open_pseudonyms(secret_keys.load(data), data)
    await PublicNotices(kit.database, after).write(NoticeForm("other", "new", "new words", ""))
    desk = PublicNoticeWork(kit.database, after)
    words = {(await desk.show(one.id, "ada", "my turn")).words for one in await desk.waiting()}
    assert words == {"old words", "new words"}
    async with kit.database.read() as connection:
        sealed = (await connection.execute(select(law_notice.c.text))).scalars().all()
    assert sorted(one[0] for one in sealed) == [0, 1]
    assert await Sealed(kit.database, kit.objects, after).get(placed.name, placed.key) == b"old log"

    assert after.kept_address(saved[1] or b"").text == after.safety_address(found[1] or b"").text == ADDRESS
    again = after.kept(5, ADDRESS)
    assert (again[0], again[2]) == (saved[0], saved[2]), "who is looked for is found as before"
    assert (again[1] or b"")[0] == 1
    with pytest.raises(KeyGone):
        before.kept_address(again[1] or b"")


async def test_a_host_without_a_key_that_seals_is_told_so_and_does_not_start(kit: Kit, tmp_path: Path) -> None:
    data = tmp_path / "of"

    def fingerprints() -> KeyFingerprints:
        own = secret_keys.load(data)
        return KeyFingerprints(kit.database, own, open_pseudonyms(own, data), Retention())

    runs = fingerprints()
    await runs.accept()
    secret_keys.rotate_kept(data)
    await fingerprints().check()
    await runs.check()  # a host that runs on and is restarted next
    (data / "keys" / "kept.1.key").rename(tmp_path / "lost")
    with pytest.raises(KeysDiffer, match="the key of kept values 1 is missing"):
        await fingerprints().check()
    (tmp_path / "lost").rename(data / "keys" / "kept.1.key")
    await fingerprints().check()


def test_a_copy_of_the_keys_opens_the_same(tmp_path: Path) -> None:
    data = tmp_path / "of"
    for ident in (1, 2):
        assert secret_keys.rotate_kept(data) == ident
    sealed = open_pseudonyms(secret_keys.load(data), data).seal_text(b"x", "words")
    assert sealed[0] == 2
    assert open_pseudonyms(secret_keys.load(data), data).open_text(b"x", sealed) == "words"
    with pytest.raises(KeyGone):
        open_pseudonyms(secret_keys.load(data), data).open_text(b"y", sealed)
