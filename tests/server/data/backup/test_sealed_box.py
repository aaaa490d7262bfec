"""Test that a text that is sealed to a public key is opened by its private key alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup import sealed_box
from server.ops.config.backup_settings import Backup


def test_a_box_is_opened_by_its_private_key_alone(tmp_path: Path) -> None:
    body, key = sealed_box.new_key()
    public = sealed_box.public_text(key)
    assert Backup(public_key=public).public_key == public
    file = tmp_path / "key"
    file.write_bytes(body)
    box = sealed_box.seal(public, b"secret")
    assert sealed_box.unseal(sealed_box.read_key(file), box) == b"secret"
    assert b"secret" not in box
    file.write_bytes(sealed_box.new_key()[0])
    other = sealed_box.read_key(file)
    for wrong in (box, box[:-1], box[:40], b""):
        with pytest.raises(sealed_box.WrongKey):
            sealed_box.unseal(other, wrong)
    file.write_text("no key")
    with pytest.raises(sealed_box.WrongKey):
        sealed_box.read_key(file)
