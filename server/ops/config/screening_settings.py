"""Define the settings of automatic text screening of chats (`server.trust.screening`)."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ByteSize, Field, PositiveFloat, SecretStr, ValidationInfo, field_validator

from server.ops.config.setting_types import Section, http_url

MIB: Final = 1024 * 1024
DetectionClass = Literal["link", "contact", "money", "groom", "age.claim", "self-harm", "private", "threat", "hate"]

SPAM: Final = frozenset(("link", "contact", "money"))  # classes of `text=spam`


def _power_of_two(size: ByteSize) -> ByteSize:
    """Validate the size of a ring, a power of two."""
    if size & (size - 1):
        raise ValueError("a power of two is wanted, e.g. 4MiB")
    return size


class Screening(Section):
    """Screening: a program reads lines after their delivery and warns of harmful ones. Lines are not stored or sent elsewhere."""

    text: Literal["off", "spam", "all"] = Field(
        default="all", description="what is looked for: nothing, links, contacts and money, or every rule"
    )
    off: frozenset[DetectionClass] = Field(
        default=frozenset(), description='classes of rules that are not looked for, whatever `text` says, e.g. ["hate"]'
    )
    tips: bool = Field(
        default=True, description="send tips to users about a detection in a line; false: no tips, all else unchanged"
    )
    ring: Annotated[ByteSize, AfterValidator(_power_of_two)] = Field(
        default=ByteSize(4 * MIB),
        ge=64 * 1024,
        le=256 * MIB,
        description="memory for lines that wait, of each process, a power of two; full: lines are not looked at, and counted",
    )
    every: PositiveFloat = Field(
        default=0.05, le=1, description="seconds between reads of lines; at least 0.25 after 5 seconds without one"
    )
    repeat_chats: int = Field(
        default=12,
        ge=6,
        le=1000,
        description="chats in ten minutes that begin alike, with a link or a contact, after which that is an advert",
    )
    pause: int = Field(
        default=3600,
        ge=900,
        le=86_400,
        description="seconds for which who spread it is paused, a day at most; a person looks at each",
    )
    model: Literal["off", "tips", "all"] = Field(
        default="tips",
        description="the small text model beside the rules: not used, for tips and help alone, or as the rules are",
    )
    provider: Literal["off", "command", "http"] = Field(
        default="off",
        description="a provider of text that reads lines beside the rules: none, a program on this machine, or a server that is sent lines",
    )
    provider_command: tuple[str, ...] = Field(
        default=(),
        max_length=64,
        description='the program and its arguments, e.g. ["python3", "/srv/provider.py"]; it has no network and writes no file',
    )
    provider_url: Annotated[str, AfterValidator(http_url)] = Field(
        default="", description="address of that server, e.g. https://moderation.example/lines; a recipient names it"
    )
    provider_key: SecretStr = Field(
        default=SecretStr(""), description="its key, sent as a bearer token; empty: none is given"
    )
    provider_use: Literal["tips", "all"] = Field(
        default="tips", description="what follows from its findings: tips and help alone, or what follows from rules"
    )
    provider_low: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="confidence of a finding from which it counts"
    )
    provider_high: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.9, description="confidence from which it is high, with `provider_use=all`"
    )
    provider_seconds: Annotated[float, Field(ge=0.1, le=30)] = Field(
        default=2.0,
        description="seconds for an answer; a provider that gives none for so long is ended and started again",
    )
    provider_memory: ByteSize = Field(
        default=ByteSize(2048 * MIB), ge=64 * MIB, description="bytes of addresses that the program may have"
    )
    rules: str = Field(default="", description="folder of your own rules (TOML); empty: rules in the data folder")

    @field_validator("provider_command")
    @classmethod
    def _has_program(cls, command: tuple[str, ...], told: ValidationInfo) -> tuple[str, ...]:
        if told.data.get("provider") == "command" and not (command and command[0]):
            raise ValueError("screening.provider_command is wanted where screening.provider is command")
        return command

    @field_validator("provider_url")
    @classmethod
    def _has_url(cls, url: str, told: ValidationInfo) -> str:
        if told.data.get("provider") == "http" and not url:
            raise ValueError("screening.provider_url is wanted where screening.provider is http")
        return url

    @field_validator("provider_high")
    @classmethod
    def _above_low(cls, high: float, told: ValidationInfo) -> float:
        if high < told.data.get("provider_low", 0.0):
            raise ValueError("screening.provider_high is less than screening.provider_low")
        return high

    @property
    def asks_provider(self) -> bool:
        """Whether a provider of text reads lines."""
        return self.text != "off" and self.provider != "off"

    @property
    def sent_to(self) -> str:
        """The address that lines are sent to; empty if lines stay on this machine."""
        return self.provider_url if self.asks_provider and self.provider == "http" else ""

    def folder(self, data: Path) -> Path:
        """Return the folder of the operator's rules: as set, else `rules` in the data folder."""
        return Path(self.rules) if self.rules else data / "rules"
