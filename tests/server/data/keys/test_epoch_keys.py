"""Keys of epochs: made once, the same for every process, gone when they are destroyed."""

from pathlib import Path

import pytest

from server.data.errors import KeyAwaited
from server.data.keys.epoch_keys import EPOCH, SIZE, EpochKeys, KeyGone, epoch_of


def test_a_key_is_made_once_and_read_by_every_process(tmp_path: Path) -> None:
    one, two = EpochKeys(tmp_path / "keys"), EpochKeys(tmp_path / "keys")
    key = one.make(7)
    assert len(key) == SIZE
    assert one.make(7) == two.make(7) == two.get(7) == key
    assert (tmp_path / "keys" / "7.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["7.key"]


def test_a_key_that_was_never_made_is_not_made_by_asking(tmp_path: Path) -> None:
    with pytest.raises(KeyGone):
        EpochKeys(tmp_path).get(7)


def test_a_destroyed_key_is_gone_and_can_be_destroyed_again(tmp_path: Path) -> None:
    keys = EpochKeys(tmp_path)
    keys.make(7)
    keys.destroy(7)
    keys.destroy(7)
    with pytest.raises(KeyGone):
        keys.get(7)
    assert keys.epochs() == []


def test_a_key_is_found_by_the_byte_that_stands_before_its_values(tmp_path: Path) -> None:
    keys = EpochKeys(tmp_path)
    keys.make(300)
    assert keys.find(300 & 255) == 300
    with pytest.raises(KeyGone):
        keys.find(1)


def test_a_key_is_due_once_its_epoch_and_the_days_are_over(tmp_path: Path) -> None:
    keys = EpochKeys(tmp_path)
    keys.make(10)
    over = 11 * EPOCH + 150 * 86_400
    assert keys.doomed(over - 1, 150) == []
    assert keys.doomed(over, 150) == [10]
    assert epoch_of(11 * EPOCH - 1) == 10


def test_a_key_that_hosts_share_is_not_made_by_one_but_proposed_and_taken(tmp_path: Path) -> None:
    keys = EpochKeys(tmp_path, shared=True)
    with pytest.raises(KeyAwaited):
        keys.make(7)
    with pytest.raises(KeyGone):
        keys.get(7)
    assert keys.proposed(7) is None
    key = keys.propose(7)
    assert key == keys.propose(7) == keys.proposed(7) == EpochKeys(tmp_path, shared=True).proposed(7)
    assert (tmp_path / "7.proposed.key").stat().st_mode & 0o777 == 0o600
    assert keys.epochs() == EpochKeys(tmp_path).epochs() == []
    assert keys.take(7, key) == keys.make(7) == key
    assert [path.name for path in tmp_path.iterdir()] == ["7.key"]
    assert keys.take(7, bytes(SIZE)) == key, "an epoch has one key"


def test_what_is_awaited_is_not_gone_and_nobody_is_looked_up_before_it_came(tmp_path: Path) -> None:
    keys = EpochKeys(tmp_path, shared=True)
    keys.whole()
    keys.await_keys([7])
    for asks in (lambda: keys.get(7), lambda: keys.get(keys.find(7)), keys.whole):
        with pytest.raises(KeyAwaited, match="epoch 7"):
            asks()
    keys.take(7, bytes(SIZE))
    keys.whole()
    keys.propose(8)
    keys.destroy(8)
    assert keys.proposed(8) is None
