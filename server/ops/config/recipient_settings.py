"""Define the settings that name the recipients of personal data, such as hosting or mail providers: one table `[[recipients]]` each.

**Invariant:** every recipient of a deployment's personal data is named here, and none that uses the data for purposes of its own.
"""

import re
from datetime import date as Date
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

# Of a transfer out of the European Union, GDPR 13(1)(f): an adequacy decision (45), standard clauses or binding rules (46, 47), or consent (49)
Safeguard = Literal["", "inside", "adequacy", "clauses", "rules", "consent"]
Kind = Literal["hosting", "objects", "cdn", "turn", "mail", "translation", "captcha", "moderation", "counsel", "backup"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Needed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Days = Annotated[int, Field(ge=0, le=3650)]
Way = Literal[
    "by_us", "contract", "webhook", "mail", "untold"
]  # how a deletion reaches a recipient; untold: it does not
SECRET_MIN = 16  # characters of the key that signs a notice
KNOWS_ADDRESSES = frozenset(
    {"hosting", "cdn", "turn", "captcha"}
)  # kinds of recipients that see the addresses of users
_mailbox = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+").fullmatch
Link = Annotated[str, StringConstraints(pattern=r"^(https://[^\s\"<>]+)?$", max_length=500)]


class Recipient(BaseModel):
    """A recipient, printed in the privacy statement; `items` are keys of the statement's items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Needed = Field(description="the company or person")
    kind: Kind = Field(description="what sort of provider")
    service: Words = Field(default="", description="what they do for this server")
    purpose: Words = Field(default="", description="what for")
    items: tuple[Needed, ...] = Field(default=(), description="keys of the pieces that they get; none: not said")
    country: Words = Field(default="", description="where they process it")
    safeguard: Safeguard = Field(
        default="",
        description="what allows a transfer out of the European Union; `inside`: there is none; empty: not said",
    )
    safeguard_link: Link = Field(
        default="", description="https:// address of a copy of it; none: send one to users who ask"
    )
    contract: Words = Field(default="", description="the agreement, in words")
    date: Date | None = Field(default=None, description="day of the agreement, like 2026-10-01")
    confidential: bool | None = Field(
        default=None, description="it binds them to keep the data confidential; none: not said"
    )
    purpose_only: bool | None = Field(
        default=None,
        description="it lets them use the data for this service alone; none: not said. With `false` the server does not start",
    )
    link: Link = Field(default="", description="https:// address of what they say about privacy")
    deletes: Literal["by_us", "webhook", "mail", "contract"] = Field(
        default="contract",
        description="how a deletion reaches them: `by_us`, we delete it there; `contract`, within `days`; `webhook`, `mail`: they are told",
    )
    days: Days = Field(default=0, description="days within which they delete; 0: not said")
    contact: Words = Field(
        default="", description="where a deletion reaches them: the https:// address of the webhook, or a mail address"
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        exclude=True,
        description=f"key of the webhook's signature, {SECRET_MIN} characters or more",
    )
    private: bool = Field(
        default=False, exclude=True, description="the webhook may be in a private network, and plain http://"
    )

    @model_validator(mode="after")
    def _serves_this_alone(self) -> Self:
        if self.purpose_only is False:
            raise ValueError(f"{self.name} uses the data for purposes of its own: no contract allows that here")
        return self

    def way(self, *, mails: bool) -> Way:
        """Return how a deletion reaches them. `mails`: whether this server has a mail server."""
        return "untold" if self.obstacle(mails=mails) else self.deletes

    @property
    def may_be_reached(self) -> bool:
        """Whether its host may be asked: in a private network only if the settings say so. A name is checked when it is resolved."""
        try:
            host = urlsplit(self.contact).hostname or ""
        except ValueError:
            return True
        try:
            return self.private or ip_address(host).is_global
        except ValueError:  # `127.1` is an address too, and is not resolved as a name
            return not host.replace(".", "").isdigit()

    def obstacle(self, *, mails: bool) -> str:
        """Return why a deletion cannot reach them in the way of `deletes`; empty if it can. `mails`: whether this server has a mail server."""
        if self.deletes == "webhook":
            url = urlsplit(self.contact)
            secure = url.scheme == "https" or (self.private and url.scheme == "http")
            if not (secure and url.hostname):
                return "its contact is no https:// address"
            if not self.may_be_reached:
                return "its contact is in a private network, and private is not set"
            if len(self.secret.get_secret_value()) < SECRET_MIN:
                return f"its secret has fewer than {SECRET_MIN} characters"
        if self.deletes == "mail":
            if not _mailbox(self.contact):
                return "its contact is no mail address"
            if not mails:
                return "no mail server is set (mail.host)"
        return ""

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


Recipients = Annotated[tuple[Recipient, ...], Field(max_length=100)]
