"""Check that the setting `[[recipients]]` names every outside recipient of personal data, and that a deletion can reach each.

**Invariant:** each enabled feature that sends data to another company's server has a recipient of its kind. Lines of chats are sent to no server
without one: such a host does not start.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from server.ops.config.settings import Settings

TEXT: Final = "text_provider"  # the item of the registry
_ice_host = re.compile(r"[a-z]+:(\[[^\]]+\]|[^:?]+)").match


def unnamed(settings: Settings) -> list[str]:
    """Return a sentence for each feature that sends data to a recipient not named in `[[recipients]]`; empty if all are named."""
    named = {recipient.kind for recipient in settings.recipients}
    return [said for kind, said in _handing_on(settings) if kind not in named]


def untold(settings: Settings) -> list[str]:
    """Return a sentence for each recipient that cannot be told of a deletion as its `deletes` says; empty if all can."""
    mails = bool(settings.mail.host)
    return [
        f"{one.name} cannot be told of a deletion: deletes is {one.deletes}, and {why}"
        for one in settings.recipients
        if (why := one.obstacle(mails=mails))
    ]


def refusal(settings: Settings) -> str:
    """Return why a host with these settings may not start, whatever `privacy.recipients` says; empty if it may.

    Lines of chats need a recipient that may have them: of the kind "moderation", with `text_provider` among its items or with no items.
    """
    place = settings.screening.sent_to
    if not is_sent_away(place, settings):
        return ""
    if any(one.kind == "moderation" and (not one.items or TEXT in one.items) for one in settings.recipients):
        return ""
    return f"{place} gets the lines of all chats, and no [[recipients]] of the kind moderation names its company"


def is_sent_away(address: str, settings: Settings) -> bool:
    """Return whether an address is of another operator's host; not if it is empty."""
    return bool(address) and not is_own_host(urlsplit(address).hostname or "", settings)


def _handing_on(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (kind of recipient, sentence) for each feature that reaches another operator's host."""
    video, objects, mail = settings.video, settings.objects, settings.mail
    if video.enabled:
        for url in (*video.stun, *video.turn):
            host = _ice_host(url)
            if host and not is_own_host(host[1], settings):
                yield "turn", f"{url} learns the IP addresses of all users in a video chat"
    if settings.store.enabled and objects.url:
        host_of_objects = urlsplit(objects.endpoint).hostname or "amazonaws.com"
        if not is_own_host(host_of_objects, settings):
            yield "objects", f"{objects.url} holds the texts of saved chats, encrypted"
    if settings.store.enabled and settings.backup.url.startswith("s3://"):
        host_of_backups = urlsplit(settings.backup.endpoint).hostname or "amazonaws.com"
        if not is_own_host(host_of_backups, settings):
            yield "backup", f"{settings.backup.url} holds backups of all that is stored"
    if mail.host and not is_own_host(mail.host, settings):
        yield "mail", f"{mail.host} gets the addresses to which codes are sent"
    for kind, place, gets in (
        ("translation", settings.translation.url, "the lines that people have translated"),
        ("moderation", settings.pictures.sent_to if video.enabled else "", "still pictures of video chats"),
        ("moderation", settings.screening.sent_to, "the lines of all chats"),
    ):
        if is_sent_away(place, settings):
            yield kind, f"{place} gets {gets}"
    company = settings.challenge.company
    if company is not None:
        for address in (company.script_url, company.verify_url):
            theirs = urlsplit(address).hostname or ""
            if not is_own_host(theirs, settings):
                yield "captcha", f"{theirs} learns the IP address and the browser of those whom it checks"
                break
    for network in settings.server.proxies:
        if network.is_global and network.prefixlen:  # /0 is not a provider, and has its own warning
            yield "cdn", f"the proxies of {network} see every request"


def is_own_host(host: str, settings: Settings) -> bool:
    """Return whether a host is this machine, in a private network, or under a name that this server serves."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return not ip_address(name).is_global
    except ValueError:
        own = [mine.removeprefix("*.").lower() for mine in settings.server.hosts if mine != "*"]
        return any(name == mine or name.endswith(f".{mine}") for mine in own)
