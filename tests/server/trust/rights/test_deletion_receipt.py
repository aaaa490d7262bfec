"""Test that a receipt is genuine to the byte, by the public key alone, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.main.cli import app
from server.ops.security import secret_keys
from server.trust.rights.deletion_receipt import NotGenuine, Receipts, verify

ONE, OTHER = Receipts(bytes(32)), Receipts(bytes([1]) * 32)
NOTE = ONE.sign("Receipt of a deletion\nnumber 1")


def test_what_was_signed_is_read_again() -> None:
    assert verify(NOTE, ONE.public) == "Receipt of a deletion\nnumber 1"
    assert verify(NOTE, ONE.public + "\n") == verify(NOTE, ONE.public)
    assert ONE.sign("Receipt of a deletion\nnumber 1\n") == NOTE


def test_every_changed_byte_is_found() -> None:
    for place in range(len(NOTE)):
        changed = NOTE[:place] + bytes([NOTE[place] ^ 1]) + NOTE[place + 1 :]
        try:
            said = verify(changed, ONE.public)
        except NotGenuine:
            continue
        # only bits of base64 that stand for nothing
        assert said == verify(NOTE, ONE.public), place


@pytest.mark.parametrize(
    ("note", "key", "why"),
    [
        (NOTE, OTHER.public, "another key"),
        (NOTE, "serendip-receipts+00000000+" + ONE.public.rpartition("+")[2], "no key"),
        (NOTE, "", "no key"),
        (NOTE, "a+b+%%%", "no signed note"),
        (b"", ONE.public, "another key"),
        (b"\xff\xfe", ONE.public, "no signed note"),
    ],
    ids=["other-key", "wrong-id", "empty-key", "broken-key", "empty", "not-text"],
)
def test_what_is_not_genuine_says_why(note: bytes, key: str, why: str) -> None:
    with pytest.raises(NotGenuine, match=why):
        verify(note, key)


def test_the_command_checks_a_receipt_by_the_published_key_or_the_service_s_own(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "receipt.txt"
    mine = Receipts(secret_keys.load(data).lasting[secret_keys.Purpose.RECEIPT])
    file.write_bytes(mine.sign("Receipt of a deletion\nnumber 1"))
    for options in (["--data", str(data)], ["--key", mine.public]):
        done = CliRunner().invoke(app, ["privacy", "receipt", str(file), *options])
        assert (done.exit_code, "number 1" in done.output) == (0, True), done.output
    wrong = CliRunner().invoke(app, ["privacy", "receipt", str(file), "--key", ONE.public])
    assert wrong.exit_code == 1
    assert "another key" in wrong.output


def test_the_key_is_the_same_after_every_rotation(tmp_path: Path) -> None:
    before = secret_keys.load(tmp_path).lasting[secret_keys.Purpose.RECEIPT]
    secret_keys.rotate(tmp_path)
    assert secret_keys.rotate(tmp_path).lasting[secret_keys.Purpose.RECEIPT] == before
