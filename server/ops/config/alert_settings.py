"""Define the settings of alerts: the operators whom Alertmanager notifies, and the heartbeat that shows that it still does.

**Invariant:** an error never quotes a contact, because the address of a webhook often is its key.
"""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, SecretStr

from server.ops.config.setting_types import Section, http_url

PAGES_ONLY = "#page"
_mailbox = re.compile(r"[^\s@<>,;:/]+@[^\s@<>,;:/]+").fullmatch
_webhook = re.compile(r"https?://[^\s/?#@,]+(/[^\s#,]*)?").fullmatch


class Contact(NamedTuple):
    """A place that alerts are sent to. `pages_only`: it gets alerts of the severity `page` alone."""

    kind: Literal["mail", "webhook"]
    address: str
    pages_only: bool


def read_contacts(text: str) -> list[Contact]:
    """Read a list such as `mailto:ada@example.org, https://hooks.example/alerts#page`. Raises ValueError, which names an entry by its position."""
    return [
        _contact(word.strip(), position) for position, word in enumerate(filter(str.strip, text.split(",")), start=1)
    ]


def _contact(word: str, position: int) -> Contact:
    pages_only = word.endswith(PAGES_ONLY)
    address = word.removesuffix(PAGES_ONLY)
    if _webhook(address):
        return Contact("webhook", address, pages_only)
    if _mailbox(address.removeprefix("mailto:")):
        return Contact("mail", address.removeprefix("mailto:"), pages_only)
    raise ValueError(f"entry {position}: a mail address (mailto:ada@example.org) or a webhook (https://…) is wanted")


def _contacts(value: SecretStr) -> SecretStr:
    """Validate the list of contacts."""
    read_contacts(value.get_secret_value())
    return value


def _heartbeat(value: SecretStr) -> SecretStr:
    """Validate the address of the heartbeat; a query may hold its key."""
    if value.get_secret_value() and not _webhook(value.get_secret_value()):
        raise ValueError("http:// or https:// and a host are wanted, e.g. https://hc.example/ping/KEY")
    return value


class Alerts(Section):
    """Contacts of Alertmanager: [watch](operate/watch.md#alerts-that-reach-a-person). `serendip alerts config` writes its configuration."""

    contact: Annotated[SecretStr, AfterValidator(_contacts)] = Field(
        default=SecretStr(""),
        description=f"mail addresses and webhooks, e.g. mailto:ada@example.org, https://hooks.example/alerts; `{PAGES_ONLY}` behind one: it gets"
        " only what cannot wait. Mail goes through `mail.host`",
    )
    heartbeat: Annotated[SecretStr, AfterValidator(_heartbeat)] = Field(
        default=SecretStr(""),
        description="address that Alertmanager calls once a minute; what listens there notifies when the calls stop; empty: none",
    )
    manager: Annotated[str, AfterValidator(http_url)] = Field(
        default="http://127.0.0.1:9093",
        description="address of Alertmanager, for `serendip alerts test` and `serendip doctor`",
    )

    @property
    def contacts(self) -> list[Contact]:
        """The contacts, read."""
        return read_contacts(self.contact.get_secret_value())
