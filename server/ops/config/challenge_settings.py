"""Define the settings of challenges (puzzles and captchas, `server.trust.challenge`) and the supported captcha providers.

**Invariant:** all facts about a provider are in COMPANIES; the provider's script may load only from its own hosts and that of
`challenge.script_url`.
"""

import re
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, SecretStr, StringConstraints, ValidationInfo, field_validator

from server.ops.config.setting_types import Section, http_url, own_origin

ALTCHA: Final = "altcha"
RECAPTCHA: Final = "recaptcha"
EXPLICIT: Final = "render=explicit"  # in a script's address: show nothing before the page asks for it


class Company(NamedTuple):
    """A captcha provider. `hosts`: its hosts for the content security policy; `actions`: whether its answers name the action they are for."""

    verify_url: str
    script_url: str
    hosts: tuple[str, ...]
    actions: bool


COMPANIES: Final = {
    "turnstile": Company(
        "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        f"https://challenges.cloudflare.com/turnstile/v0/api.js?{EXPLICIT}",
        ("https://challenges.cloudflare.com",),
        actions=True,
    ),
    "hcaptcha": Company(
        "https://api.hcaptcha.com/siteverify",
        f"https://js.hcaptcha.com/1/api.js?{EXPLICIT}",
        ("https://hcaptcha.com", "https://*.hcaptcha.com"),
        actions=False,
    ),
    RECAPTCHA: Company(
        "https://www.google.com/recaptcha/api/siteverify",
        f"https://www.google.com/recaptcha/api.js?{EXPLICIT}",
        (
            "https://www.google.com/recaptcha/",
            "https://www.gstatic.com/recaptcha/",
            "https://recaptcha.google.com/recaptcha/",
        ),
        actions=False,  # version 2 has none; version 3 returns one beside a score
    ),
}
_SCRIPT = re.compile(r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:[/?][!-~]*)?")


def script_address(url: str) -> str:
    """Validate a script's address. Its host becomes part of a policy, so characters that would end a host there are refused."""
    if url and not _SCRIPT.fullmatch(url):
        raise ValueError(
            "http:// or https:// and a host are wanted, e.g. https://captcha.example/api.js?render=explicit"
        )
    return url


def _needed(told: ValidationInfo, given: bool) -> None:
    """Require a value if a company is the provider: it serves no site without keys. Raises ValueError."""
    provider = told.data.get("provider", ALTCHA)
    if provider != ALTCHA and not given:
        raise ValueError(f"challenge.{told.field_name} is wanted where challenge.provider is {provider}")


class Challenge(Section):
    """Challenges before a search, after many searches or reports of a user. By default a first visit has none."""

    enabled: bool = Field(default=True, description="ask for challenges, where limits are on")
    first: bool = Field(default=False, description="ask every user once, before the first search")
    good_for: PositiveFloat = Field(default=1800.0, le=86_400, description="seconds that a solution is good")
    provider: Literal["altcha", "turnstile", "hcaptcha", "recaptcha"] = Field(
        default="altcha",
        description="who makes the hardest challenge: altcha is this server; the others are companies: [operations](operate/attacks.md#challenges)",
    )
    site_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,200}$")] = Field(
        default="", description="the company's public key for this site"
    )
    secret: SecretStr = Field(default=SecretStr(""), description="the company's secret key for this site")
    origin: Annotated[str, AfterValidator(own_origin)] = Field(
        default="",
        description="origin of its own for the company's script, e.g. https://challenge.example: a name that leads here and is not in server.hosts",
    )
    verify_url: Annotated[str, AfterValidator(http_url)] = Field(
        default="", description="where the company says whether an answer is right; empty: its usual address"
    )
    script_url: Annotated[str, AfterValidator(script_address)] = Field(
        default="", description="address of the company's script; empty: its usual one (reCAPTCHA: that of version 2)"
    )
    score: float = Field(
        default=0.5, ge=0, le=1, description="least score of an answer, where it has one (reCAPTCHA 3)"
    )
    send_address: bool = Field(default=False, description="tell the company the address of who answered")
    fallback: bool = Field(
        default=True, description="where the company says nothing, ask for a puzzle of ours; false: refuse the search"
    )

    @field_validator("site_key")
    @classmethod
    def _has_site_key(cls, key: str, told: ValidationInfo) -> str:
        _needed(told, bool(key))
        return key

    @field_validator("secret")
    @classmethod
    def _has_secret(cls, key: SecretStr, told: ValidationInfo) -> SecretStr:
        _needed(told, bool(key.get_secret_value()))
        return key

    @field_validator("origin")
    @classmethod
    def _has_origin(cls, origin: str, told: ValidationInfo) -> str:
        _needed(told, bool(origin))
        return origin

    @property
    def frame_host(self) -> str:
        """The host name of `origin`; empty if it is not set."""
        return urlsplit(self.origin).hostname or ""

    @property
    def company(self) -> Company | None:
        """The captcha provider of the hardest challenge, with the configured addresses; None if this server makes it."""
        known = COMPANIES.get(self.provider)
        if known is None or not self.enabled:
            return None
        hosts = known.hosts
        if self.script_url:
            place = urlsplit(self.script_url)
            hosts = (f"{place.scheme}://{place.netloc}", *hosts)
        return known._replace(
            verify_url=self.verify_url or known.verify_url, script_url=self.script_url or known.script_url, hosts=hosts
        )

    @property
    def invisible(self) -> bool:
        """Whether it is reCAPTCHA version 3, which shows nothing and returns a score: its script is loaded for one key."""
        company = self.company
        return (
            company is not None
            and self.provider == RECAPTCHA
            and f"render={self.site_key}" in urlsplit(company.script_url).query.split("&")
        )
