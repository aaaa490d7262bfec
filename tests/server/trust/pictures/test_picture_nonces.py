"""Test that each side gets a nonce while pictures are on."""

from pathlib import Path

import pytest

from server.ops.config.settings import Settings
from server.trust.pictures import picture_nonces
from server.trust.pictures.picture_nonces import Nonces, are_pictures_possible


def test_each_side_gets_one_that_is_told_where_pictures_go() -> None:
    told: list[object] = []
    made = Nonces(lambda *look: told.append(look))
    assert made.ask("c0ffee", (0, 1)) == (), "nobody looks yet"
    made.on = True
    first, second = made.ask("c0ffee", (0, 1))
    assert told == [("c0ffee", (0, 1), (first, second))]
    assert len(first) == len(second) == 22
    assert len({first, second, *made.ask("c0ffee", (1,))}) == 3


@pytest.mark.parametrize(
    ("section", "what"),
    [("pictures", {"mode": "off"}), ("video", {"enabled": False}), ("store", {"enabled": False})],
)
def test_what_is_off_makes_it_impossible(tmp_path: Path, section: str, what: dict[str, object]) -> None:
    assert are_pictures_possible(Settings.model_validate({"data": tmp_path}))
    assert not are_pictures_possible(Settings.model_validate({"data": tmp_path, section: what}))


def test_without_the_extra_it_is_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_nonces, "installed", lambda: False)
    assert not are_pictures_possible(Settings())
