"""List the settings and moderators' accounts that a host lacks, if its settings let the public reach it (`server.hosts`, its address). The
server's start and `serendip check` both use it.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from server.ops.config.settings import UNNAMED, Settings

INVITE: Final = "serendip console invite NAME --role moderator"


def loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def public_address(host: str) -> bool:
    """Whether a port there may be reachable from everywhere: a public address, or every address of the machine."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_global or address.is_unspecified


def public_names(settings: Settings) -> list[str]:
    """Return the names of `server.hosts` that are not this machine's own; `*` is all names."""
    return [name for name in settings.server.hosts if not loopback(name)]


def missing(settings: Settings) -> list[str]:
    """Return the settings about a responsible operator that are missing."""
    operator = settings.operator
    named = operator.name.strip() not in ("", UNNAMED)
    reached = bool(operator.email.strip() or operator.address.strip())
    return [name for name, there in (("operator.name", named), ("operator.email", reached)) if not there]


def refusal(settings: Settings, *, has_moderator: bool) -> str:
    """Return why this host may not start, with each missing setting and command; empty if it may.

    `has_moderator`: an account has a passkey, or an open invitation, and a role that works on cases.

    A host is public by the names that it answers to (`server.hosts`), whatever address it listens on: requests for other names get 421.
    """
    names = public_names(settings)
    if not names or settings.safety.unattended:
        return ""
    steps = [f"set {name}" for name in missing(settings)]
    steps += _moderator(settings, has_moderator)
    if not steps:
        return ""
    return (
        f"this host is public (server.hosts has {names[0]}), and is not ready for users: {'; '.join(steps)}."
        " To start all the same: safety.unattended=true"
    )


def becomes_public(present: Settings, wanted: Settings) -> bool:
    """Whether a running host would become public by these settings, which only a start may do."""
    return bool(public_names(wanted) and not public_names(present) and not present.safety.unattended)


def _moderator(settings: Settings, has_moderator: bool) -> Iterator[str]:
    if has_moderator or settings.safety.moderated:
        return
    if settings.store.enabled:
        yield f"make an account that reads reports: {INVITE}"
    else:
        yield "nothing is kept (store.enabled=false), so no report can be read: set store.enabled=true"
