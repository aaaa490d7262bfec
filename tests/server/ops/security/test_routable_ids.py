"""Names that lead to hosts: for who has the secret, at each host, over a rotation; for nobody else."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest

from server.ops.security import secret_keys
from server.ops.security.routable_ids import ID_LETTERS, REMEMBERED, HostHints
from server.ops.security.secret_keys import Keys

pytestmark = pytest.mark.blocking  # reads keys
HERE, OTHER, THIRD = "10.0.0.1:9467", "10.0.0.2:9467", "[fd00::3]:9467"


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return secret_keys.load(tmp_path)


def test_a_name_leads_to_the_host_that_drew_it_from_every_host_that_knows_it(secret: Keys) -> None:
    here, other = HostHints(secret, HERE), HostHints(secret, OTHER)
    letters, token = other.letters(), other.token()
    assert re.fullmatch(r"[a-z0-9]{30}", letters)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert (here.of_letters(letters), here.of_token(token)) == (None, None), "it was not heard yet"
    here.know([OTHER, THIRD], 0.0)
    assert (here.of_letters(letters), here.of_token(token)) == (OTHER, OTHER)
    assert (other.of_letters(letters), other.of_token(token)) == (OTHER, OTHER)
    assert here.of_letters(here.letters()) == here.of_token(here.token()) == HERE
    assert here.others == [OTHER, THIRD]


def test_what_was_changed_or_never_drawn_leads_nowhere(secret: Keys) -> None:
    here = HostHints(secret, HERE)
    here.know([OTHER, THIRD], 0.0)
    letters, token = here.letters(), here.token()
    for place in range(ID_LETTERS):
        other = "a" if letters[place] != "a" else "b"
        assert here.of_letters(letters[:place] + other + letters[place + 1 :]) is None
    for number in range(2_000):
        assert here.of_letters(f"{number:030}") is None
        assert here.of_token(f"{number:022}") is None
    for strange in (
        "",
        "central1",
        letters + "a",
        letters[1:],
        letters.upper(),
        "_" * 30,
        "٣" * 30,
        "-1" * 15,
        " " * 30,
    ):
        assert here.of_letters(strange) is None
    for strange in ("", token[1:], token + "A", "é" * 22, "=" * 22):
        assert here.of_token(strange) is None


def test_a_host_that_is_gone_is_asked_for_a_moment_and_then_forgotten(secret: Keys) -> None:
    here, other = HostHints(secret, HERE), HostHints(secret, OTHER)
    name = other.letters()
    here.know([OTHER], 100.0)
    here.know([], 100.5)
    here.forget(100.0 + REMEMBERED - 0.1)
    assert here.of_letters(name) == OTHER
    here.forget(100.0 + REMEMBERED)
    assert here.of_letters(name) is None
    assert here.others == []
    assert here.of_letters(here.letters()) == HERE
    here.know([OTHER], 200.0)
    assert here.of_letters(name) == OTHER


def test_names_of_before_a_rotation_lead_on(tmp_path: Path) -> None:
    before = HostHints(secret_keys.load(tmp_path), OTHER)
    letters, token = before.letters(), before.token()
    after = HostHints(secret_keys.rotate(tmp_path), HERE)
    after.know([OTHER], 0.0)
    assert (after.of_letters(letters), after.of_token(token)) == (OTHER, OTHER)
    strange = HostHints(secret_keys.load(tmp_path / "another"), HERE)
    strange.know([OTHER], 0.0)
    assert (strange.of_letters(letters), strange.of_token(token)) == (None, None)


def test_a_name_says_nothing_of_its_host(secret: Keys) -> None:
    for places in (HostHints(secret, HERE), HostHints(secret, OTHER), HostHints()):
        names = [places.letters() for _ in range(3_000)]
        assert len(set(names)) == len({name[:8] for name in names}) == len({name[8:] for name in names}) == 3_000
        for place in range(ID_LETTERS):
            counted = collections.Counter(name[place] for name in names)
            assert len(counted) == 36
            assert max(counted.values()) < 2 * 3_000 / 36, "every letter as often as every other"


def test_a_host_that_is_alone_knows_its_own_names(secret: Keys) -> None:
    alone = HostHints()
    assert alone.of_letters(alone.letters()) == alone.of_token(alone.token()) == alone.here == ""
    assert alone.of_letters(HostHints().letters()) is None
