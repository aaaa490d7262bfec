"""Define the settings that name the recipients of personal data, such as hosting or mail providers: one table `[[recipients]]` each.

**Invariant:** every recipient of a deployment's personal data is named here.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Of a transfer out of the European Union, GDPR 13(1)(f): an adequacy decision (45), standard clauses or binding rules (46, 47), or consent (49)
Safeguard = Literal["", "inside", "adequacy", "clauses", "rules", "consent"]
Kind = Literal["hosting", "objects", "cdn", "turn", "mail", "translation", "captcha", "moderation", "counsel", "backup"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Needed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
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
    contract: Words = Field(default="", description="the agreement: title and date")
    link: Link = Field(default="", description="https:// address of what they say about privacy")
    deletes: Literal["by_us", "webhook", "mail", "contract"] = Field(
        default="contract",
        description="how a deletion reaches them; `webhook`, `mail`: not carried out yet, which the statement says",
    )
    contact: Words = Field(default="", description="where a deletion or a question reaches them")

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


Recipients = Annotated[tuple[Recipient, ...], Field(max_length=100)]
