"""Define the types of settings' values and validate them: lists, hosts, origins, networks, URLs.

An invalid value is reported at the start, in a sentence.
"""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints
from pydantic_settings import NoDecode

from server.ops.config.country_codes import country_code


def _listed(value: object) -> object:
    """Accept `a, b` for a list: the environment and flags have no other syntax for one."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Listed = NoDecode, BeforeValidator(_listed)
Names = Annotated[tuple[str, ...], *Listed]
Workers = Annotated[int, Field(ge=1, le=64)] | Literal["auto"]


def _host(name: str) -> str:
    """Validate a name as in a Host header, without port and scheme."""
    if name != "*" and not re.fullmatch(r"\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+", name):
        raise ValueError("a name without scheme and port is wanted, e.g. chat.example or [::1]")
    return name


def _origin(origin: str) -> str:
    """Validate the value of an Origin header: a scheme, a host, perhaps a port."""
    if origin != "*" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@]+", origin):
        raise ValueError("a scheme and a host are wanted, without a path, e.g. https://chat.example")
    return origin


def mail_address(text: str) -> str:
    """Validate the address of a mailbox, without a name before it; empty: none."""
    if text and not re.fullmatch(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}", text):
        raise ValueError("an address as owner@chat.example is wanted, without a name")
    return text


def own_origin(origin: str) -> str:
    """Validate an origin with a name, as passkeys and frames need it: browsers accept no IP address, and plain HTTP on localhost only."""
    if origin and not re.fullmatch(
        r"https://(?![0-9.]+(:|$))[a-z0-9.-]+(:(?!443$)[0-9]{1,5})?|http://localhost(:(?!80$)[0-9]{1,5})?", origin
    ):
        raise ValueError(
            "https:// and a name in small letters is wanted, e.g. https://name.example, or http://localhost:9466"
        )
    return origin


def database_url(url: SecretStr) -> SecretStr:
    """Validate the URL of a supported database; the error does not quote it, since it may hold a password."""
    scheme, separator, _ = url.get_secret_value().partition("://")
    if url.get_secret_value() and (not separator or scheme not in DATABASES):
        raise ValueError("no database known here; use postgresql:// or sqlite://")
    return url


def bucket_url(url: str) -> str:
    """Validate the URL of the bucket for the texts of saved logs."""
    if url and not re.fullmatch(r"s3://[^/\s]+(/.*)?", url):
        raise ValueError("s3://bucket/prefix is wanted, or nothing; the server's own address is objects.endpoint")
    return url


def http_url(url: str) -> str:
    """Validate the base URL of an HTTP service, and strip its trailing slash."""
    if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError(
            "http:// or https:// and a host are wanted, without a user and a query, e.g. http://localhost:5000"
        )
    return url.rstrip("/")


def header_name(name: str) -> str:
    """Validate the name of an HTTP header (RFC 9110, 5.6.2), or nothing."""
    if name and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", name):
        raise ValueError("the name of a header is wanted, e.g. X-Real-Port")
    return name


def contact_uri(text: str) -> str:
    """Validate a contact URI (RFC 9116, 2.5.3); a plain mail address becomes one."""
    uri = f"mailto:{text}" if re.fullmatch(r"[^\s@:/]+@[^\s@:/]+", text) else text
    if uri and not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s]+|tel:\+?[0-9-]+)", uri):
        raise ValueError("a mail address, or one that begins with mailto:, https:// or tel:, is wanted")
    return uri


def page_colour(text: str) -> str:
    """Validate a colour as #rrggbb, in small letters, or nothing."""
    if text and not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("a colour as #rrggbb is wanted, e.g. #7a3b8f")
    return text.lower()


def shown_line(text: str) -> str:
    """Validate a line that the page shows: no control characters, no turned letters; spaces at its ends are cut."""
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text):
        raise ValueError("one line of plain text is wanted")
    return text.strip()


DATABASES = ("postgresql", "postgres", "postgresql+asyncpg", "sqlite", "sqlite+aiosqlite")  # schemes of store.url
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], *Listed]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], *Listed]
STUN = r"^stuns?:[A-Za-z0-9.\[\]:-]+$"
TURN = r"^turns?:[A-Za-z0-9.\[\]:-]+(\?transport=(udp|tcp))?$"
StunServers = Annotated[tuple[Annotated[str, StringConstraints(pattern=STUN)], ...], *Listed]
TurnServers = Annotated[tuple[Annotated[str, StringConstraints(pattern=TURN)], ...], *Listed]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], *Listed]
CountryCodes = Annotated[tuple[Annotated[str, AfterValidator(country_code)], ...], *Listed]
Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """A group of settings: immutable, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)
