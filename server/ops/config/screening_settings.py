"""Define the settings of automatic text screening of chats (`server.trust.screening`)."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ByteSize, Field, PositiveFloat

from server.ops.config.setting_types import Section

MIB: Final = 1024 * 1024
DetectionClass = Literal["link", "contact", "money", "groom", "age.claim", "self-harm", "private", "threat", "hate"]


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
    rules: str = Field(default="", description="folder of your own rules (TOML); empty: rules in the data folder")

    def folder(self, data: Path) -> Path:
        """Return the folder of the operator's rules: as set, else `rules` in the data folder."""
        return Path(self.rules) if self.rules else data / "rules"
