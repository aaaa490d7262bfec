"""Test that a backup that this service did not make is refused, whoever can write to the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup import sealed_box
from server.data.backup.archive_format import DATABASE, SEALED, SETTINGS, Damaged, Manifest, Writer, members
from server.data.backup.backup_place import find, name_at
from server.data.backup.backup_signature import Foreign, SigningKeys, accept_any, signing_keys
from server.data.backup.backup_verification import verify
from tests.server.data.whole_backups import Case

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


def test_a_signature_is_of_its_manifest_and_its_key_alone() -> None:
    mine, other = SigningKeys({"service": b"a" * 32, "operator": b"b" * 32}), SigningKeys({"operator": b"c" * 32})
    signed = mine.sign(b"manifest")
    mine.check(b"manifest", signed)
    SigningKeys({"operator": b"b" * 32}).check(b"manifest", signed)
    mine.check(b"manifest", {"service": signed["service"], "operator": "after a change of keys"})
    for keys, manifest, signatures in (
        (mine, b"Manifest", signed),
        (other, b"manifest", signed),
        (mine, b"manifest", {"operator": signed["service"]}),
        (mine, b"manifest", {"service": "\u00e4"}),
        (mine, b"manifest", {"service": "\udcff"}),  # bytes that are no text
        (mine, b"manifest", {}),
        (SigningKeys({}), b"manifest", signed),
    ):
        with pytest.raises(Foreign):
            keys.check(manifest, signatures)


def forged(case: Case) -> None:
    """Replace the newest archive by an attacker's: the same members, other settings, sealed to the public key, signed with the attacker's key."""
    one = find(case.place, "")
    manifests: list[Manifest] = []
    with case.place.open(one) as file:
        found = {member.name: member.body() for member in members(file, manifests.append, accept_any)}
    found[SETTINGS] = b'server.host = "0.0.0.0"\n'
    found[SEALED] = sealed_box.seal(case.backup["public_key"], b'{"keys":{},"epochs_left":[],"secrets":{}}')
    writer = Writer(SigningKeys({"service": b"his" * 11, "operator": b"his" * 11}).sign)
    bodies = [chunk for name, body in found.items() for chunk in writer.body(name, body)]
    case.place.write(one.name, iter([*bodies, *writer.end(manifests[0])]))
    assert DATABASE in found


async def test_a_forged_backup_is_neither_verified_nor_restored(case: Case) -> None:
    await case.make()
    forged(case)
    for check in (case.check, signing_keys(case.here).check):
        with pytest.raises(Foreign):
            await verify(
                case.place, find(case.place, ""), case.kit.database, case.kit.data, check=check,
                progress=lambda *_: None,
            )  # fmt: skip
    with pytest.raises(Foreign):
        await case.restore()
    assert not (case.there.data / "secret").exists()
    assert not (case.there.data / "restored.toml").exists()


async def test_an_older_backup_under_a_newer_name_is_refused(case: Case) -> None:
    made = await case.make()
    folder = Path(case.backup["url"])
    (folder / made.name).rename(folder / name_at(case.kit.now + 86_400))
    with pytest.raises(Damaged, match="has the name of another time"):
        await case.restore()
