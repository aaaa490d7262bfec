"""Settings of pictures: bounds against each other, and whether the extra is there."""

import pytest
from pydantic import ValidationError

from server.ops.config import picture_settings as module
from server.ops.config.picture_settings import Pictures, installed


def test_the_defaults_are_those_of_the_handbook() -> None:
    chosen = Pictures()
    assert (chosen.mode, chosen.mean, chosen.share, chosen.auto, chosen.provider) == ("on", 60, 1, "veil", "local")
    assert (chosen.unsure, chosen.hit, chosen.quality, chosen.differ, chosen.agree) == (0.3, 0.8, 50, 0.6, 0.8)
    assert (chosen.queue, int(chosen.memory)) == (200, 128 * 1024 * 1024)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hit": 0.2},
        {"unsure": 0.9},
        {"hit": 1.1},
        {"agree": 0.6},
        {"differ": 0.8},
        {"mean": 19},
        {"share": 1.1},
        {"share": -0.1},
        {"quality": 101},
        {"queue": 0},
        {"mode": "yes"},
        {"auto": "ban"},
        {"provider": "http"},
        {"provider": "http", "url": "moderation.example"},
        {"url": "https://user@moderation.example"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pictures.model_validate(wrong)


@pytest.mark.parametrize(
    "right", [{"hit": 0.3}, {"unsure": 0.8}, {"share": 0}, {"provider": "http", "url": "http://127.0.0.1:1/a"}]
)
def test_what_can_be_is_taken(right: dict[str, object]) -> None:
    assert Pictures.model_validate(right)


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ({}, ""),
        ({"url": "http://a.example"}, ""),
        ({"url": "http://a.example", "provider": "http"}, "http://a.example"),
        ({"url": "http://a.example", "provider": "http", "mode": "reports"}, "http://a.example"),
        ({"url": "http://a.example", "provider": "http", "mode": "off"}, ""),
    ],
)
def test_nobody_is_sent_pictures_but_where_one_is_chosen(chosen: dict[str, object], place: str) -> None:
    assert Pictures.model_validate(chosen).sent_to == place


def test_the_key_is_not_printed() -> None:
    assert "canary" not in repr(Pictures.model_validate({"key": "canary"}))


def test_a_part_of_the_extra_is_not_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed()
    monkeypatch.setattr(module, "EXTRA", (*module.EXTRA, "no_such_package"))
    assert not installed()
