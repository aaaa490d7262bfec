"""Test that every recipient of data must be named, whatever part sends it, and that one that a deletion cannot reach is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.data.statement.current_statement import Unfit, open_published
from server.data.statement.recipient_check import refusal, unnamed, untold
from server.main.checks.check_finding import Level
from server.main.checks.local_checks import local
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks

KEY = "a key that both know"
ON: list[tuple[str, dict[str, Any]]] = [
    ("turn", {"video": {"stun": ["stun:stun.example:3478"]}}),
    ("turn", {"video": {"turn": ["turn:203.0.114.9:3478?transport=udp"]}}),
    ("objects", {"objects": {"url": "s3://bucket/logs"}}),
    ("mail", {"mail": {"host": "mail.example"}}),
    ("translation", {"translation": {"url": "https://translate.example"}}),
    (
        "captcha",
        {"challenge": {"provider": "turnstile", "site_key": "k", "secret": "s", "origin": "https://challenge.example"}},
    ),
    (
        "captcha",
        {
            "challenge": {
                "provider": "hcaptcha",
                "site_key": "k",
                "secret": "s",
                "origin": "https://challenge.example",
                "script_url": "http://10.1.2.3/api.js",
            }
        },
    ),
    ("moderation", {"screening": {"provider": "http", "provider_url": "https://moderation.example/lines"}}),
    ("moderation", {"pictures": {"provider": "http", "url": "https://moderation.example/score"}}),
    ("cdn", {"server": {"proxies": ["104.16.0.0/13"]}}),
]


@pytest.mark.parametrize(("kind", "chosen"), ON)
def test_a_part_that_reaches_others_wants_a_recipient_of_its_kind(kind: str, chosen: dict[str, Any]) -> None:
    assert len(unnamed(Settings.model_validate(chosen))) == 1
    other = {"name": "Somebody", "kind": "counsel"}
    assert len(unnamed(Settings.model_validate({**chosen, "recipients": [other]}))) == 1
    named = {"name": "Somebody", "kind": kind}
    assert unnamed(Settings.model_validate({**chosen, "recipients": [other, named]})) == []


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"video": {"stun": ["stun:10.0.0.2:3478", "stun:[::1]:3478", "stun:localhost"]}},
        {"video": {"turn": ["turn:turn.chat.example:3478"]}, "server": {"hosts": ["chat.example"]}},
        {"video": {"enabled": False, "stun": ["stun:stun.example"]}},
        {"objects": {"url": "s3://bucket/logs", "endpoint": "http://192.168.1.9:9000"}},
        {"objects": {"url": "s3://bucket/logs"}, "store": {"enabled": False}},
        {"mail": {"host": "127.0.0.1"}},
        {"translation": {"url": "http://localhost:5000"}},
        {"challenge": {"site_key": "k", "secret": "s", "origin": "https://challenge.example"}},
        {"pictures": {"url": "https://moderation.example/score"}},
        {"pictures": {"provider": "http", "url": "http://10.1.2.3/score"}},
        {"pictures": {"provider": "http", "url": "https://moderation.example/score", "mode": "off"}},
        {"pictures": {"provider": "http", "url": "https://moderation.example/score"}, "video": {"enabled": False}},
        {"screening": {"provider": "http", "provider_url": "http://10.1.2.3/lines"}},
        {"screening": {"provider": "http", "provider_url": "https://moderation.example/lines", "text": "off"}},
        {
            "screening": {
                "provider": "command",
                "provider_command": ["true"],
                "provider_url": "https://moderation.example",
            }
        },
        {"translation": {"url": "http://10.1.2.3:5000/lt"}},
        {"server": {"proxies": ["10.0.0.0/8", "127.0.0.1/32"]}},
    ],
)
def test_what_is_off_or_on_our_own_hosts_wants_none(chosen: dict[str, Any]) -> None:
    assert unnamed(Settings.model_validate(chosen)) == []


@pytest.mark.blocking  # versions of the statement are files
@pytest.mark.parametrize("items", [[], ["text_provider"], ["snap_provider"]])
async def test_lines_are_sent_nowhere_before_their_recipient_is_named(tmp_path: Path, items: list[str]) -> None:
    provider = {"provider": "http", "provider_url": "https://moderation.example/lines"}
    chosen = {"data": tmp_path, "screening": provider, "privacy": {"recipients": "warn"}}
    unfit = Settings.model_validate(chosen)
    assert "moderation.example" in refusal(unfit)
    assert [one.level for one in local(unfit) if one.check == "privacy" and "gets the lines" in one.said] == [
        Level.ERROR
    ]
    with pytest.raises(Unfit, match="gets the lines of all chats"):
        await open_published(unfit, Tasks())
    recipient = {"name": "Example Ltd", "kind": "moderation", "items": items}
    named = Settings.model_validate({**chosen, "recipients": [recipient]})
    assert bool(refusal(named)) == (items == ["snap_provider"])  # which pictures alone are named for


@pytest.mark.parametrize(("strict", "level"), [("warn", Level.WARNING), ("fail", Level.ERROR)])
def test_the_check_says_it_as_strictly_as_it_is_set(strict: str, level: Level) -> None:
    settings = Settings.model_validate({"mail": {"host": "mail.example"}, "privacy": {"recipients": strict}})
    found = [one for one in local(settings) if one.check == "privacy" and one.level]
    assert [one.level for one in found] == [level]
    assert "mail.example" in found[0].said


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"deletes": "webhook", "contact": "https://told.example/"}, "secret has fewer than 16 characters"),
        ({"deletes": "webhook", "contact": "", "secret": KEY}, "contact is no https:// address"),
        ({"deletes": "webhook", "contact": "http://10.0.0.1/", "secret": KEY}, "contact is no https:// address"),
        ({"deletes": "webhook", "contact": "https://10.0.0.1/", "secret": KEY}, "contact is in a private network"),
        ({"deletes": "mail", "contact": "https://told.example/"}, "contact is no mail address"),
        ({"deletes": "mail", "contact": "privacy@told.example"}, "no mail server is set"),
    ],
)
def test_a_recipient_that_cannot_be_told_of_a_deletion_is_warned_of(chosen: dict[str, str], why: str) -> None:
    settings = Settings.model_validate({"recipients": [{"name": "Far Ltd", "kind": "cdn", **chosen}]})
    (said,) = untold(settings)
    assert said.startswith("Far Ltd cannot be told of a deletion: ")
    assert why in said
    assert [one.level for one in local(settings) if one.said == said] == [Level.WARNING]


def test_no_other_recipient_is_warned_of() -> None:
    named = [
        {"name": "1", "kind": "cdn", "deletes": "webhook", "contact": "https://told.example/", "secret": KEY},
        {
            "name": "2",
            "kind": "cdn",
            "deletes": "webhook",
            "contact": "http://10.0.0.1/",
            "secret": KEY,
            "private": True,
        },
        {"name": "3", "kind": "hosting", "deletes": "mail", "contact": "privacy@told.example"},
        {"name": "4", "kind": "hosting", "deletes": "by_us"},
        {"name": "5", "kind": "backup", "deletes": "contract"},
    ]
    assert untold(Settings.model_validate({"recipients": named, "mail": {"host": "127.0.0.1"}})) == []
