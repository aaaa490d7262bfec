"""What is on is named, and `needs` reads it."""

from __future__ import annotations

import pytest

from server.data.privacy.registry import REGISTRY
from server.data.statement.enabled_features import features, holds
from server.http.words.catalogue import ENGLISH, words
from server.ops.config.settings import Settings


def test_what_is_switched_on_is_named_and_what_hangs_on_it_goes_with_it() -> None:
    assert features(Settings()) == {
        "store",
        "console",
        "video",
        "omegle",
        "screening",
        "pictures",
        "pictures.chat",
        "pictures.kept",
    }
    chosen = {
        "store": {"enabled": False},
        "video": {"enabled": False, "stun": ["stun:a.example"]},
        "omegle": {"enabled": False},
        "screening": {"text": "off"},
    }
    assert features(Settings.model_validate(chosen)) == frozenset()


def test_a_need_holds_where_it_is_on_and_its_opposite_where_it_is_off() -> None:
    on = frozenset({"store"})
    assert [holds(needs, on) for needs in ("", "store", "no-store", "mail", "no-mail")] == [
        True,
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(("url", "away"), [("http://10.0.0.7:5000", False), ("https://lines.example", True)])
def test_a_provider_of_the_operator_s_own_network_is_no_other_company(url: str, away: bool) -> None:
    on = features(Settings.model_validate({"screening": {"provider": "http", "provider_url": url}}))
    assert ("screening.provider" in on, "screening.command" in on) == (away, not away)


def test_the_registry_needs_only_features_that_there_are() -> None:
    every = {
        "objects": {"url": "s3://b"}, "backup": {"url": "s3://backups"},
        "mail": {"host": "m"}, "console": {"digest": "o@example.org"}, "server": {"proxies": ["10.0.0.0/8"]},
        "safety": {"refused_countries": ["GB"]}, "video": {"turn": ["turn:t"]},
        "cluster": {"nats": "nats://127.0.0.1:4222", "address": "10.0.0.1:8499"},
        "translation": {"url": "http://127.0.0.1:5000"},
        "pictures": {"provider": "http", "url": "https://pictures.example"},
        "screening": {"provider": "http", "provider_url": "https://lines.example"},
        "challenge": {"provider": "turnstile", "site_key": "k", "secret": "s", "origin": "https://challenge.example", "send_address": True},
    }  # fmt: skip
    known = features(Settings.model_validate(every))
    command = {"provider": "command", "provider_command": ["true"]}
    known |= features(Settings.model_validate({**every, "screening": command}))
    assert known == {
        "backups",
        "store",
        "console",
        "objects",
        "video",
        "ice",
        "relay",
        "mail",
        "omegle",
        "screening",
        "screening.command",
        "screening.provider",
        "pictures",
        "pictures.chat",
        "pictures.kept",
        "pictures.provider",
        "digest",
        "hosts",
        "proxy",
        "countries",
        "translation",
        "captcha",
        "captcha.address",
    }
    assert {f"privacy.feature.{name}" for name in known} <= set(words()[ENGLISH].table), (
        "a change of it is told in words"
    )
    needed = {entry.needs.removeprefix("no-") for entry in (*REGISTRY.items, *REGISTRY.texts)} - {""}
    assert needed <= known
