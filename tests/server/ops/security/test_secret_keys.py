"""Keys: made once, for the owner alone, one a purpose, the previous one accepted for a while."""

import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.ops.security import secret_keys
from server.ops.security.secret_keys import Purpose, SecretError


def test_the_first_start_makes_a_folder_and_a_secret_for_the_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "a" / "var"
    secret_keys.load(data)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    assert len((data / "secret").read_bytes()) == 32
    assert sorted(os.listdir(data)) == ["keys", "secret"]
    assert sorted(os.listdir(data / "keys")) == ["identity.key", "kept.key", "receipt.key"]
    assert stat.S_IMODE((data / "keys").stat().st_mode) == 0o700


def test_an_empty_folder_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secret_keys.load(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_folder_that_holds_something_else_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    tmp_path.chmod(0o755)
    secret_keys.load(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_lost_secret_is_not_replaced_unless_that_is_asked_for(tmp_path: Path) -> None:
    before = secret_keys.load(tmp_path)
    (tmp_path / "secret").unlink()
    for _ in range(2):
        with pytest.raises(SecretError, match=r"secret: it is lost.*Put its copy back"):
            secret_keys.load(tmp_path)
        assert sorted(os.listdir(tmp_path)) == ["keys"]
    after = secret_keys.load(tmp_path, renew=True)
    assert after.present != before.present
    assert after.lasting == before.lasting, "cookies, kept pseudonyms and receipts are as before"


def test_a_second_start_reads_the_same_secret(tmp_path: Path) -> None:
    assert secret_keys.load(tmp_path) == secret_keys.load(tmp_path)


def test_sub_keys_are_hkdf_of_the_secret_and_differ_by_purpose(tmp_path: Path) -> None:
    held = secret_keys.load(tmp_path)
    derived = {purpose: held.derive(purpose) for purpose in Purpose}
    assert len(set(derived.values())) == len(Purpose)
    material = (tmp_path / "secret").read_bytes()
    for purpose, key in derived.items():
        assert HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(material) == key


def test_after_a_rotation_the_previous_key_is_accepted_and_the_new_one_seals(tmp_path: Path) -> None:
    before = secret_keys.load(tmp_path)
    after = secret_keys.rotate(tmp_path)
    assert after.present.id != before.present.id
    assert after.previous == before.present
    assert list(after.accepted(Purpose.TOKEN).items()) == [
        (after.present.id, after.derive(Purpose.TOKEN)),
        (before.present.id, before.derive(Purpose.TOKEN)),
    ]
    assert stat.S_IMODE((tmp_path / "secret.previous").stat().st_mode) == 0o600


def test_no_rotation_touches_a_lasting_key_and_the_first_host_to_lose_it_makes_the_same_again(tmp_path: Path) -> None:
    first = secret_keys.load(tmp_path)
    assert first.lasting == {purpose: first.derive(purpose) for purpose in secret_keys.LASTING}
    (tmp_path / "keys" / "identity.key").unlink()
    assert secret_keys.load(tmp_path).lasting == first.lasting
    (tmp_path / "keys" / "identity.key").unlink()  # a folder of before the key had a file of its own, rotated at once
    for _ in range(2):
        assert secret_keys.rotate(tmp_path).lasting == first.lasting
    assert secret_keys.load(tmp_path).lasting == first.lasting
    assert stat.S_IMODE((tmp_path / "keys" / "identity.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("body", [b"", bytes(31), bytes(33)], ids=["empty", "short", "long"])
def test_a_damaged_lasting_key_is_refused_by_name(tmp_path: Path, body: bytes) -> None:
    secret_keys.load(tmp_path)
    (tmp_path / "keys" / "identity.key").write_bytes(body)
    with pytest.raises(SecretError, match=r"identity\.key: must hold 32 bytes"):
        secret_keys.load(tmp_path)


def test_the_previous_key_is_forgotten_when_its_time_is_over(tmp_path: Path) -> None:
    secret_keys.load(tmp_path)
    secret_keys.rotate(tmp_path)
    rotated = (tmp_path / "secret.previous").stat().st_mtime
    assert secret_keys.load(tmp_path, rotated + secret_keys.PREVIOUS_LIFE - 1).previous is not None
    assert secret_keys.load(tmp_path, rotated + secret_keys.PREVIOUS_LIFE).previous is None


def test_two_rotations_leave_two_secrets(tmp_path: Path) -> None:
    first = secret_keys.load(tmp_path)
    second = secret_keys.rotate(tmp_path)
    third = secret_keys.rotate(tmp_path)
    assert third.previous == second.present
    assert first.present.material not in {third.present.material, second.present.material}
    assert sorted(os.listdir(tmp_path)) == ["keys", "secret", "secret.previous"]


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_secret_of_the_wrong_size_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(SecretError, match="secret: must hold 32 bytes"):
        secret_keys.load(tmp_path)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    secret_keys.load(tmp_path)
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(SecretError, match="others may read it"):
        secret_keys.load(tmp_path)


def test_a_data_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(SecretError, match="var"):
        secret_keys.load(tmp_path / "var")


def test_starts_at_the_same_moment_agree_on_one_secret(tmp_path: Path) -> None:
    gate = threading.Barrier(8)
    found: list[secret_keys.Keys] = []

    def start() -> None:
        gate.wait()
        found.append(secret_keys.load(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({held.present.material for held in found}) == 1
    assert len({held.lasting[Purpose.COOKIE] for held in found}) == 1
    assert sorted(os.listdir(tmp_path)) == ["keys", "secret"]
    assert sorted(os.listdir(tmp_path / "keys")) == ["identity.key", "kept.key", "receipt.key"]
