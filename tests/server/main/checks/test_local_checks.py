"""Settings against each other, the data folder, limits: what cannot be right is named with what to do."""

from __future__ import annotations

import os
import resource
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.main.checks import local_checks
from server.main.checks.check_finding import Level
from server.main.checks.local_checks import FREE_ERROR, FREE_WARNING, local
from server.ops.config.settings import Settings
from server.ops.security import secret_keys


class Usage(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk, a limit and a user that are well, whatever runs the tests."""
    monkeypatch.setattr(local_checks, "is_root", lambda: False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 1 << 40))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1 << 20))


OPERATOR = {"name": "Example Ltd", "email": "p@example.org", "country": "Norway"}
HOSTER = {"name": "Hoster", "kind": "hosting"}


def found(data: Path, **chosen: Any) -> list[tuple[str, Level, str]]:
    """What is not well."""
    settings = Settings.model_validate({"data": data, **chosen})
    return [(one.check, one.level, one.said) for one in local(settings) if one.level]


def test_a_deployment_as_it_ships_is_well_before_and_after_its_first_start(tmp_path: Path) -> None:
    for _ in range(2):
        assert found(tmp_path / "data") == []
        assert {one.check for one in local(Settings(data=tmp_path / "data"))} == {
            "settings",
            "privacy",
            "data",
            "limits",
        }
        secret_keys.load(tmp_path / "data")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"server": {"proxies": "10.0.0.0/8,0.0.0.0/0"}}, "server.proxies has 0.0.0.0/0"),
        ({"server": {"proxies": "::/0"}}, "server.proxies has ::/0"),
        ({"server": {"hosts": "*"}}, "server.hosts has *"),
        ({"server": {"host": "0.0.0.0"}}, "names of this machine only"),
        ({"limits": {"enabled": False}}, "limits.enabled is false"),
        ({"matching": {"any_after": 11}}, "matching.any_after is later"),
        ({"mail": {"host": "mail.example", "security": "none"}}, "in the clear"),
        ({"metrics": {"host": "0.0.0.0"}}, "metrics.host is 0.0.0.0"),
        ({"metrics": {"host": "8.8.8.8"}}, "metrics.host is 8.8.8.8"),
        ({"console": {"host": "10.0.0.1"}}, "signing in works only on this machine"),
        ({"console": {"port": 0}}, "each start is another origin"),
    ],
)
def test_settings_that_contradict_each_other_are_warned_of(chosen: dict[str, Any], said: str, tmp_path: Path) -> None:
    mailer = {"name": "Mailer", "kind": "mail"}
    ((check, level, told),) = found(tmp_path / "data", recipients=[mailer, HOSTER], operator=OPERATOR, **chosen)
    assert (check, level) == ("settings", Level.WARNING)
    assert said in told


def test_a_company_s_check_wants_the_names_of_this_server(tmp_path: Path) -> None:
    company = {"name": "Checker", "kind": "captcha"}
    chosen = {"provider": "turnstile", "site_key": "k", "secret": "s", "origin": "https://challenge.example"}
    told = [
        said
        for _, _, said in found(
            tmp_path / "data", recipients=[company, HOSTER], operator=OPERATOR, challenge=chosen, server={"hosts": "*"}
        )
    ]
    assert len(told) == 2
    assert "an answer that was given on any site is taken" in told[1]


def test_settings_that_fit_are_not(tmp_path: Path) -> None:
    chosen: dict[str, Any] = {
        "console": {"host": "10.0.0.1", "origin": "https://console.example"},
        "server": {"host": "0.0.0.0", "hosts": "chat.example", "proxies": "10.0.0.0/8"},
        "metrics": {"host": "10.1.2.3"},
        "mail": {"host": "localhost", "security": "none"},
    }
    assert found(tmp_path / "data", operator=OPERATOR, recipients=[HOSTER], **chosen) == []


@pytest.mark.parametrize(
    ("free", "level"), [(FREE_WARNING, None), (FREE_WARNING - 1, Level.WARNING), (FREE_ERROR - 1, Level.ERROR)]
)
def test_a_disk_that_fills_is_named_in_time(
    free: int, level: Level | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_keys.load(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free))
    assert [one[:2] for one in found(tmp_path)] == ([("data", level)] if level else [])


def test_a_file_that_others_may_read_and_one_of_the_future_are_errors(tmp_path: Path) -> None:
    secret_keys.load(tmp_path)
    (tmp_path / "serendip.db").touch(0o600)
    (tmp_path / "serendip.db").chmod(0o644)
    later = time.time() + 3600
    (tmp_path / "lock").touch(0o600)
    os.utime(tmp_path / "lock", (later, later))
    assert {(check, level, said.rpartition("/")[2]) for check, level, said in found(tmp_path)} == {
        ("data", Level.ERROR, "serendip.db: others may use it (0644)"),
        ("clock", Level.ERROR, "lock: is of a later time than now"),
    }


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("daemon", "and server.user is daemon"),
        ("nobody-here", "this machine has no such user"),
        ("root", "who is root"),
    ],
)
def test_a_user_whom_the_folder_does_not_belong_to_is_an_error(user: str, said: str, tmp_path: Path) -> None:
    ((check, level, told),) = found(tmp_path, server={"user": user})
    assert (check, level) == ("data", Level.ERROR)
    assert said in told


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_a_file_of_another_user_is_an_error(tmp_path: Path) -> None:
    secret_keys.load(tmp_path)
    (tmp_path / "purge.lock").touch(0o600)
    shutil.chown(tmp_path / "purge.lock", "nobody")
    assert found(tmp_path) == [("data", Level.ERROR, f"{tmp_path / 'purge.lock'}: belongs to nobody")]


def test_few_descriptors_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert [one[:2] for one in found(tmp_path / "data")] == [("limits", Level.WARNING)]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://10.0.0.7:5000/lines", True),
        ("https://10.0.0.7/lines", False),
        ("http://localhost:5000", False),
        ("http://127.0.0.1:5000", False),
    ],
)
def test_lines_that_travel_in_the_clear_to_another_machine_are_warned_of(url: str, told: bool, tmp_path: Path) -> None:
    screening = {"provider": "http", "provider_url": url}
    settings = Settings.model_validate({"data": tmp_path / "data", "screening": screening})
    warned = [one.level for one in local(settings) if "in the clear" in one.said]
    assert warned == ([Level.WARNING] if told else [])


@pytest.mark.parametrize(
    ("country", "text", "told"),
    [
        ("Germany", "all", True),
        (" no ", "spam", True),
        ("Norway", "off", False),
        ("Switzerland", "all", False),
        ("", "all", False),
    ],
)
def test_an_operator_in_the_eea_is_told_what_law_to_look_at_and_nothing_is_wrong(
    country: str, text: str, told: bool, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path / "data", "operator": {"country": country}, "screening": {"text": text}}
    )
    notices = [one for one in local(settings) if "European Economic Area" in one.said]
    assert [(one.check, one.level, "screening.text=off" in one.remedy) for one in notices] == (
        [("privacy", Level.OK, True)] if told else []
    )


def test_a_public_server_that_nobody_answers_for_is_an_error(tmp_path: Path) -> None:
    public = {"server": {"hosts": ["chat.example", "localhost"]}, "recipients": [HOSTER]}
    ((check, level, told),) = found(tmp_path / "data", **public, operator={"country": "Norway"})
    assert (check, level) == ("privacy", Level.ERROR)
    assert told == "chat.example is public, and not set: operator.name, operator.email"
    ((_, level, _),) = found(tmp_path / "data", **public, operator={"country": "Norway"}, safety={"unattended": True})
    assert level == Level.WARNING
    assert found(tmp_path / "data", **public, operator=OPERATOR) == []
    ((_, level, told),) = found(tmp_path / "data", server=public["server"], operator=OPERATOR | {"country": ""})
    assert level == Level.WARNING
    assert told.endswith('has yet to tell: operator.country, [[recipients]] of the kind "hosting"')


@pytest.mark.parametrize(
    ("operator", "recipient", "told"),
    [
        ("Norway", {"country": "United States"}, True),
        ("Norway", {"country": "United States", "safeguard": "clauses"}, False),
        ("Norway", {"country": "Falkenstein", "safeguard": "inside"}, False),
        ("Norway", {"country": "Germany"}, False),
        ("Norway", {}, False),
        ("Brazil", {"country": "United States"}, False),
    ],
)
def test_an_operator_in_the_eea_is_told_which_provider_outside_it_has_no_safeguard(
    operator: str, recipient: dict[str, str], told: bool, tmp_path: Path
) -> None:
    named = [{"name": "Far Ltd", "kind": "hosting", **recipient}]
    settings = Settings.model_validate(
        {"data": tmp_path / "data", "recipients": named, "operator": OPERATOR | {"country": operator}}
    )
    assert any("safeguard of Far Ltd" in one.said for one in local(settings)) == told


def test_what_the_statement_lacks_is_told_on_a_machine_of_ones_own_too(tmp_path: Path) -> None:
    (one,) = [one for one in local(Settings(data=tmp_path / "data")) if one.check == "privacy"]
    assert one.level == Level.OK
    assert all(name in one.said for name in ("operator.name", "operator.email", "operator.country", "hosting"))
    assert one.remedy


def test_a_server_that_is_root_is_warned_of_until_it_has_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_checks, "is_root", lambda: True)
    for _ in range(2):  # before its first start and after it
        ((check, level, said),) = found(tmp_path / "data")
        assert (check, level) == ("data", Level.WARNING)
        assert "the server is root" in said
        secret_keys.load(tmp_path / "data")
    assert not any("the server is root" in said for _, _, said in found(tmp_path / "new", server={"user": "nobody"}))
