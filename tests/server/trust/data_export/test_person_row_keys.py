"""Test the keyed values by which a person is found."""

import pytest

from server.data.keys.epoch_keys import EpochKeys
from server.data.keys.pseudonyms import Pseudonyms
from server.trust.data_export.person_row_keys import person


@pytest.fixture
def pseudonyms(tmp_path: object) -> Pseudonyms:
    return Pseudonyms(EpochKeys(tmp_path / "keys"), bytes(32), bytes(32))  # type: ignore[operator]


def test_a_person_has_a_value_for_each_epoch_whose_key_exists_and_two_that_last(pseudonyms: Pseudonyms) -> None:
    for epoch in (690, 691, 692):
        pseudonyms.epochs.make(epoch)
    found = person(pseudonyms, 11)
    assert found.live == tuple(pseudonyms.live(epoch, 11, "")[0] for epoch in (690, 691, 692))
    assert len(set(found.values)) == 5
    pseudonyms.epochs.destroy(690)
    assert person(pseudonyms, 11).live == found.live[1:]


def test_two_people_share_no_value(pseudonyms: Pseudonyms) -> None:
    pseudonyms.epochs.make(690)
    assert not set(person(pseudonyms, 11).values) & set(person(pseudonyms, 22).values)


def test_nobody_has_no_values(pseudonyms: Pseudonyms) -> None:
    with pytest.raises(ValueError):
        person(pseudonyms, 0)
