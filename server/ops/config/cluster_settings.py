"""Define the settings of a cluster, several hosts that are one service (docs/operate/scale.md, "Several hosts").

**Invariant:** a host's settings name its own address and the NATS servers, never another host.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from server.ops.config.setting_types import Listed, Section

NATS = r"(nats|tls)://[^\s/?#@]+"


def _nats(url: str) -> str:
    """Validate a NATS server's URL, without a user: `credentials` has that."""
    if not re.fullmatch(NATS, url):
        raise ValueError("nats:// or tls:// and a host are wanted, without a user, e.g. tls://nats.internal:4222")
    return url


def _private(address: str) -> str:
    """Validate an address in a private network: messages between hosts are authenticated, but not encrypted."""
    host, _, port = address.rpartition(":")
    if not address:
        return address
    try:
        at = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        if not 0 < int(port) < 65_536 or at.is_unspecified or ("[" in host) != (at.version == 6):
            raise ValueError
    except ValueError:
        raise ValueError("an address and a port are wanted, e.g. 10.0.0.1:9467 or [fd00::1]:9467") from None
    if not at.is_private:
        raise ValueError(
            f"{at} is a public address: hosts of a cluster meet in a private network (WireGuard makes one)"
        )
    return address


def split(address: str) -> tuple[str, int]:
    """Split an address of the settings into host and port."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _name(name: str) -> str:
    """Validate a part of a NATS subject."""
    if not re.fullmatch(r"[a-z0-9-]{1,32}", name):
        raise ValueError("small letters, digits and - are wanted, 32 at most")
    return name


Name = Annotated[str, AfterValidator(_name)]


class Cluster(Section):
    """Several hosts that are one service."""

    nats: Annotated[tuple[Annotated[str, AfterValidator(_nats)], ...], *Listed] = Field(
        default=(), description="servers of NATS, e.g. tls://nats.internal:4222; empty: this host is alone"
    )
    credentials: Path | None = Field(default=None, description="file with the NATS nkey seed of this host (SU…)")
    ca: Path | None = Field(
        default=None, description="file with the certificate that signed those of NATS; empty: the system's"
    )
    address: Annotated[str, AfterValidator(_private)] = Field(
        default="", description="address and port of this host that the others reach, e.g. 10.0.0.1:9467"
    )
    name: Name = Field(default="serendip", description="name of the service; services of one NATS have different ones")
    id: Name = Field(default="1", description="hosts with one id are one cluster; those of another are not known")
