"""Contacts of alerts: what is accepted, and errors that quote none."""

import pytest

from server.ops.config.alert_settings import Alerts, Contact, read_contacts
from server.ops.config.setting_sources import SettingsError, load


def test_contacts_are_mail_addresses_and_webhooks_of_which_some_get_pages_alone() -> None:
    assert read_contacts("ada@example.org, mailto:bob@example.org#page,https://hooks.example/a?key=1#page") == [
        Contact("mail", "ada@example.org", pages_only=False),
        Contact("mail", "bob@example.org", pages_only=True),
        Contact("webhook", "https://hooks.example/a?key=1", pages_only=True),
    ]
    assert Alerts().contacts == []


@pytest.mark.parametrize(
    "wrong", ["ada", "ftp://secret.example", "https://", "https://user:secret@host/", "a@b@secret"]
)
def test_an_entry_that_is_neither_is_named_by_its_position_and_not_quoted(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERENDIP_ALERTS__CONTACT", f"ada@example.org, {wrong}")
    with pytest.raises(SettingsError, match="SERENDIP_ALERTS__CONTACT: entry 2") as caught:
        load()
    assert "secret" not in str(caught.value)


def test_the_heartbeat_is_an_address_of_http() -> None:
    assert Alerts.model_validate({"heartbeat": "https://hc.example/ping/KEY"}).heartbeat.get_secret_value()
    with pytest.raises(ValueError, match="http"):
        Alerts.model_validate({"heartbeat": "hc.example"})
