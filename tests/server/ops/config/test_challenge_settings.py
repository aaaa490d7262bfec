"""Who makes the hardest challenge: keys that are missing are told at the start, and a browser is told of exactly its hosts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.ops.config.challenge_settings import COMPANIES, Challenge
from server.ops.config.setting_sources import SettingsError, load

KEYS = {"site_key": "0x4AAA_b-c", "secret": "sesame", "origin": "https://challenge.example"}


def test_this_server_does_it_unless_it_is_told_otherwise() -> None:
    assert Challenge().company is None
    assert Challenge.model_validate(KEYS).company is None
    assert Challenge.model_validate({**KEYS, "provider": "turnstile", "enabled": False}).company is None


@pytest.mark.parametrize("provider", COMPANIES)
def test_a_company_has_its_usual_addresses_and_its_hosts(provider: str) -> None:
    company = Challenge.model_validate({**KEYS, "provider": provider}).company
    assert company == COMPANIES[provider]
    assert company.verify_url.startswith("https://")
    assert company.script_url.endswith("?render=explicit")


def test_an_operator_s_address_of_a_script_adds_its_host_alone() -> None:
    chosen = {
        **KEYS,
        "provider": "recaptcha",
        "script_url": "https://www.recaptcha.net/recaptcha/api.js?render=explicit",
    }
    company = Challenge.model_validate(chosen).company
    assert company is not None
    assert company.hosts == ("https://www.recaptcha.net", *COMPANIES["recaptcha"].hosts)


@pytest.mark.parametrize(
    ("provider", "render", "invisible"),
    [("recaptcha", "explicit", False), ("recaptcha", KEYS["site_key"], True), ("turnstile", KEYS["site_key"], False)],
)
def test_recaptcha_is_of_the_third_version_where_its_script_is_for_a_key(
    provider: str, render: str, invisible: bool
) -> None:
    chosen = {**KEYS, "provider": provider, "script_url": f"https://a.example/api.js?hl=en&render={render}"}
    assert Challenge.model_validate(chosen).invisible is invisible


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("site_key", "challenge.site_key is wanted where challenge.provider is hcaptcha"),
        ("secret", "challenge.secret is wanted where challenge.provider is hcaptcha"),
        ("origin", "challenge.origin is wanted where challenge.provider is hcaptcha"),
    ],
)
def test_a_company_without_keys_is_an_error_that_says_which_and_no_secret(
    tmp_path: Path, missing: str, said: str
) -> None:
    file = tmp_path / "serendip.toml"
    lines = [f'{name} = "{value}"' for name, value in KEYS.items() if name != missing]
    file.write_text("\n".join(["[challenge]", 'provider = "hcaptcha"', *lines]))
    with pytest.raises(SettingsError) as found:
        load(file)
    assert said in str(found.value)
    assert KEYS["secret"] not in str(found.value)


@pytest.mark.parametrize(
    "chosen",
    [
        {"provider": "captcha"},
        {"site_key": "a b"},
        {"site_key": 'a"'},
        {"score": 1.1},
        {"verify_url": "siteverify"},
        {"script_url": "//a.example/api.js"},
        {"script_url": "https://a.example;/api.js"},
        {"script_url": "https://a.example *.evil.example/api.js"},
        {"script_url": "https://me@a.example/api.js"},
        {"script_url": "javascript:alert(1)"},
    ],
)
def test_what_no_key_and_no_address_can_be_is_refused(chosen: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Challenge.model_validate(chosen)


def test_the_company_s_script_is_refused_the_page_s_own_name(tmp_path: Path) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text(
        '[server]\nhosts = ["chat.example"]\n[challenge]\nprovider = "hcaptcha"\nsite_key = "k"\nsecret = "s"\norigin = "https://chat.example"\n'
    )
    with pytest.raises(SettingsError, match=r"a name of its own, and not at one of server\.hosts"):
        load(file)
