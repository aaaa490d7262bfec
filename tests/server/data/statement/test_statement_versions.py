"""A deployment's versions: each change makes one, what adds is announced 14 days before, and an old one is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.data.privacy.registry_history import current
from server.data.statement import statement_versions
from server.data.statement.statement_versions import (
    DAY,
    NOTICE,
    TRANSFER,
    NotAnnounced,
    announce,
    coming,
    in_effect,
    read,
    settle,
)
from server.ops.config.settings import Settings

NOW = 1_800_000_000
LESS: dict[str, Any] = {"retention": {"days": 30}}
MORE: dict[str, Any] = {"recipients": [{"name": "CDN Ltd", "kind": "cdn"}]}


def settings(data: Path, chosen: dict[str, Any] | None = None, strict: str = "warn") -> Settings:
    """Of a deployment in a folder."""
    return Settings.model_validate({"data": data, "privacy": {"changes": strict}, **(chosen or {})})


def names(data: Path) -> list[str]:
    """Of all versions, the oldest first."""
    return [version.name for version in read(data)]


def test_the_first_start_makes_the_first_version_and_the_next_ones_none(tmp_path: Path) -> None:
    for later in range(3):
        assert settle(settings(tmp_path), NOW + later) == ""
    (only,) = read(tmp_path)
    assert (only.name, only.effective, only.announced) == (f"{current().number}.1", NOW, True)
    assert only.serial == current().number * 1000 + 1


def test_what_only_takes_away_holds_at_once(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    assert settle(settings(tmp_path, LESS, "fail"), NOW + DAY) == ""
    held = in_effect(read(tmp_path), NOW + DAY)
    assert held is not None
    assert (held.count, held.announced, [str(change) for change in held.changes]) == (2, True, ["days.shorter: 30"])


def test_what_adds_without_notice_is_warned_of_and_marked_or_refused(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    with pytest.raises(NotAnnounced, match=r"recipient.added: CDN Ltd.*privacy announce"):
        settle(settings(tmp_path, MORE, "fail"), NOW + DAY)
    assert len(read(tmp_path)) == 1
    assert "recipient.added: CDN Ltd" in settle(settings(tmp_path, MORE), NOW + DAY)
    held = in_effect(read(tmp_path), NOW + DAY)
    assert held is not None
    assert (held.count, held.announced) == (2, False)
    assert held.documents["en"]["providers"][0]["name"] == "CDN Ltd"


def test_what_adds_is_announced_14_days_before_and_then_holds_without_a_word(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    with pytest.raises(NotAnnounced, match="14 days at least"):
        announce(settings(tmp_path, MORE), NOTICE - 1, NOW)
    assert len(read(tmp_path)) == 1
    tried = announce(settings(tmp_path, MORE), NOTICE, NOW, dry=True)
    assert len(read(tmp_path)) == 1
    told = announce(settings(tmp_path, MORE), NOTICE, NOW)
    assert (told, told.effective) == (tried, NOW + NOTICE * DAY)
    with pytest.raises(NotAnnounced, match="exactly this already"):
        announce(settings(tmp_path, MORE), NOTICE, NOW)
    last = NOW + NOTICE * DAY - 1
    assert settle(settings(tmp_path, {}, "fail"), last) == ""  # the old settings go on till then
    with pytest.raises(NotAnnounced):
        settle(settings(tmp_path, MORE, "fail"), last)
    versions = read(tmp_path)
    assert (in_effect(versions, last), coming(versions, last)) == (versions[0], versions[1])
    assert settle(settings(tmp_path, MORE, "fail"), last + 1) == ""
    assert (in_effect(versions, last + 1), coming(versions, last + 1)) == (versions[1], None)


def test_a_transfer_is_announced_30_days_before_and_names_another_operator(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    buyer = {"operator": {"name": "Buyer Ltd"}}
    with pytest.raises(NotAnnounced, match="30 days at least"):
        announce(settings(tmp_path, buyer), TRANSFER - 1, NOW, transfer=True)
    with pytest.raises(NotAnnounced, match="name the same one"):
        announce(settings(tmp_path, MORE), TRANSFER, NOW, transfer=True)
    assert len(read(tmp_path)) == 1
    told = announce(settings(tmp_path, buyer), TRANSFER, NOW, transfer=True)
    assert ([str(change) for change in told.changes], told.transfer) == (["transfer: Buyer Ltd"], "Buyer Ltd")
    with pytest.raises(NotAnnounced):
        settle(settings(tmp_path, buyer, "fail"), told.effective - 1)
    assert settle(settings(tmp_path, buyer, "fail"), told.effective) == ""
    assert read(tmp_path)[0].transfer == ""


def test_another_name_of_the_same_operator_takes_14_days(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    told = announce(settings(tmp_path, {"operator": {"name": "New Name"}}), NOTICE, NOW)
    assert ([str(change) for change in told.changes], told.transfer) == (["operator: New Name"], "")


def test_less_may_be_announced_for_today(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    assert announce(settings(tmp_path, LESS), 0, NOW + 5).effective == NOW + 5


def test_a_version_is_never_written_again(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    file = tmp_path / statement_versions.FOLDER / f"{current().number}.1.json"
    body = file.read_bytes()
    settle(settings(tmp_path, LESS), NOW + 1)
    settle(settings(tmp_path, MORE), NOW + 2)
    assert file.read_bytes() == body
    assert len(names(tmp_path)) == len(set(names(tmp_path))) == 3
    assert sorted(path.name for path in file.parent.iterdir()) == [f"{name}.json" for name in names(tmp_path)]


def test_a_version_under_which_nobody_chatted_is_replaced_and_not_branded(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW, last_chat=0.0)
    assert settle(settings(tmp_path, MORE, "fail"), NOW + DAY, last_chat=NOW - 1.0) == "", (
        "chats before it are not under it"
    )
    (only,) = read(tmp_path)
    assert (only.count, only.announced, only.changes, only.effective) == (2, True, [], NOW + DAY)
    assert settle(settings(tmp_path, MORE), NOW + DAY + 1, last_chat=0.0) == ""
    assert names(tmp_path) == [only.name]


@pytest.mark.parametrize("last_chat", [None, NOW + 5.0], ids=["not known", "somebody chatted"])
def test_a_version_under_which_somebody_may_have_chatted_stays(tmp_path: Path, last_chat: float | None) -> None:
    settle(settings(tmp_path), NOW)
    assert "recipient.added: CDN Ltd" in settle(settings(tmp_path, MORE), NOW + DAY, last_chat=last_chat)
    assert [version.announced for version in read(tmp_path)] == [True, False]


def test_of_unused_versions_only_those_since_the_last_chat_go(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    settle(settings(tmp_path, MORE), NOW + DAY)
    assert settle(settings(tmp_path, {}, "fail"), NOW + 2 * DAY, last_chat=NOW + 5.0) == ""
    assert names(tmp_path) == [f"{current().number}.1"], "back to what people chatted under"


def test_a_version_that_is_older_than_chats_are_kept_stays(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    assert "CDN Ltd" in settle(settings(tmp_path, MORE), NOW + 121 * DAY, last_chat=0.0)
    assert len(read(tmp_path)) == 2


def test_an_announcement_stays_when_an_unused_version_goes(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    told = announce(settings(tmp_path, MORE), NOTICE, NOW)
    assert settle(settings(tmp_path, {"operator": {"name": "New Name"}}, "fail"), NOW + DAY, last_chat=0.0) == ""
    versions = read(tmp_path)
    assert [version.name for version in versions] == [f"{current().number}.3", told.name]
    assert in_effect(versions, NOW + DAY) == versions[0]


def test_a_clock_that_went_back_lets_nothing_be_added(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    with pytest.raises(NotAnnounced):
        settle(settings(tmp_path, MORE, "fail"), NOW - DAY)
