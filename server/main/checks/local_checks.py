"""Check what needs no connection to another server: the settings against each other, the data folder, system limits.

**Invariant:** these checks are fast enough for every start.
"""

import resource
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.data.statement.recipient_check import refusal, unnamed, untold
from server.main.checks.check_finding import Finding, error, notice, ok, warning
from server.main.checks.cluster_needs import fitness
from server.main.checks.eea_countries import EEA
from server.main.checks.public_host_requirements import loopback, missing, public_address, public_names
from server.ops.config.screening_settings import Screening
from server.ops.config.settings import Settings
from server.ops.process.unix_user_switch import MADE_FIRST, NotOurs, is_root, misplaced, name_of

FREE_WARNING: Final = 1 << 30  # bytes
FREE_ERROR: Final = 100 << 20
DESCRIPTORS: Final = 4096  # with fewer, a small number of users is refused
AHEAD: Final = 60.0  # seconds that a file may be newer than now
CLOSED: Final = ("secret", "secret.previous", "serendip.db")  # files that others must not read


def local(settings: Settings) -> list[Finding]:
    """Run all local checks; a check without a problem yields one finding that says so."""
    found: list[Finding] = []
    for name, check in (("settings", _settings), ("privacy", _privacy), ("data", _data), ("limits", _limits)):
        some = list(check(settings))
        found += some or [ok(name, "well")]
    return [*found, *fitness(settings)]


def _settings(settings: Settings) -> Iterator[Finding]:
    server, matching = settings.server, settings.matching
    for network in server.proxies:
        if network.prefixlen == 0:
            yield warning(
                "settings",
                f"server.proxies has {network}: every client may choose its address",
                "name the networks of your own proxies",
            )
    if "*" in server.hosts:
        yield warning("settings", "server.hosts has *: a page elsewhere may point its name here", "name the hosts")
        if settings.challenge.company is not None:
            yield warning(
                "settings",
                f"challenge.provider is {settings.challenge.provider}: with * in server.hosts an answer that was given on any site is taken",
                "name the hosts",
            )
    elif not loopback(server.host) and all(map(loopback, server.hosts)):
        yield warning(
            "settings",
            f"server.host is {server.host}, and server.hosts has names of this machine only: who comes by another gets 421",
            "add the name that people type to server.hosts",
        )
    if not settings.limits.enabled:
        yield warning("settings", "limits.enabled is false: one person can stop the others", "leave it out")
    if matching.any_after > matching.anyone_after:
        yield warning(
            "settings",
            "matching.any_after is later than matching.anyone_after: one shared interest is never asked for",
            "make any_after the smaller one",
        )
    yield from _mail(settings)
    console = settings.console
    if console.enabled and not console.origin and not loopback(console.host):
        yield warning(
            "settings",
            f"console.host is {console.host}, and console.origin is empty: signing in works only on this machine",
            "set console.origin to where browsers reach it, behind TLS, or leave console.host",
        )
    if console.enabled and not console.origin and not console.port:
        yield warning("settings", "console.port is 0: each start is another origin, and no passkey fits", "choose one")
    yield from _provider(settings.screening)
    if not loopback(settings.metrics.host) and public_address(settings.metrics.host):
        yield warning(
            "settings",
            f"metrics.host is {settings.metrics.host}: all the world may ask",
            "an address of a private network",
        )


def _provider(screening: Screening) -> Iterator[Finding]:
    if (
        screening.asks_provider
        and screening.provider == "command"
        and shutil.which(screening.provider_command[0]) is None
    ):
        yield error(
            "settings",
            f"screening.provider_command: there is no program {screening.provider_command[0]}",
            "its path, or a name in PATH",
        )
    sent = urlsplit(screening.sent_to)
    if sent.scheme == "http" and not loopback(sent.hostname or ""):
        yield warning(
            "settings",
            f"screening.provider_url is {screening.provider_url}: the lines of all chats travel there in the clear",
            "use https, or a server on this machine",
        )


def _mail(settings: Settings) -> Iterator[Finding]:
    mail = settings.mail
    if mail.host and mail.security == "none" and not loopback(mail.host):
        yield warning("settings", "mail.security is none: codes and the password travel in the clear", "use starttls")
    if settings.console.digest and not mail.host:
        yield warning("settings", "console.digest is set and mail.host is not: no letter leaves", "set mail.host")


def _privacy(settings: Settings) -> Iterator[Finding]:
    level = error if settings.privacy.recipients == "fail" else warning
    if refused := refusal(settings):
        yield error(
            "privacy", refused, "name it in [[recipients]], or set screening.provider=off: the server does not start"
        )
    for said in () if refused else unnamed(settings):
        yield level("privacy", f"{said}, and no [[recipients]] names them", "say in the settings who they are")
    for said in untold(settings):
        yield warning(
            "privacy", said, "correct its table of [[recipients]]: the people concerned read that it is not told"
        )
    if settings.operator.country.strip().lower() in EEA and settings.screening.text != "off":
        yield notice(
            "privacy",
            "operator.country is in the European Economic Area, and a program looks at what people write (screening.text): the exception to"
            " the secrecy of messages that let services look for abuse of children ran to 3 April 2026, and may have none to follow it",
            "know the law that you look on, and see that the privacy statement says so; else screening.text=off",
        )
    yield from _operator(settings)


def _operator(settings: Settings) -> Iterator[Finding]:
    """Check that the statement names the operator, the country, the hosting provider, and what allows transfers out of the European Union."""
    operator, public = settings.operator, public_names(settings)
    if public and (unset := missing(settings)):
        remedy = "set operator.name and a contact: without them no user can exercise a right"
        level = warning if settings.safety.unattended else error
        yield level("privacy", f"{public[0]} is public, and not set: {', '.join(unset)}", remedy)
    unsaid = [] if public else missing(settings)
    if not operator.country.strip():
        unsaid.append("operator.country")
    if not any(recipient.kind == "hosting" for recipient in settings.recipients):
        unsaid.append('[[recipients]] of the kind "hosting"')
    if operator.country.strip().lower() in EEA:
        unsaid += [
            f"safeguard of {one.name}" for one in settings.recipients if not one.safeguard and _is_outside(one.country)
        ]
    if unsaid:
        said = f"the privacy statement says that the operator has yet to tell: {', '.join(unsaid)}"
        remedy = "set them before this is public" if not public else "set them; on a machine of your own name yourself"
        yield (warning if public else notice)("privacy", said, remedy)


def _is_outside(country: str) -> bool:
    return bool(country.strip()) and country.strip().lower() not in EEA


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    try:
        wrong = misplaced(folder, settings.server.user) if settings.server.user else None
    except NotOurs as fault:
        wrong = str(fault), "run this as the user who runs the server, or as root"
    if wrong is not None:
        yield error("data", *wrong)
        return
    try:
        secret = (folder / MADE_FIRST).stat()
    except FileNotFoundError:
        yield ok("data", f"{folder}: not there yet; the first start makes it")
        yield from _root(settings)
        return
    except OSError as fault:
        yield error("data", f"{folder}: {fault.strerror}", "run this as the user who runs the server, or as root")
        return
    yield from _files(folder, secret.st_uid)
    yield from _root(settings)
    free = shutil.disk_usage(folder).free
    if free < FREE_WARNING:
        said = f"{folder}: {free >> 20} MiB are free"
        yield (error if free < FREE_ERROR else warning)("data", said, "make room: a full disk keeps no records")


def _root(settings: Settings) -> Iterator[Finding]:
    """Warn if the server is root: it was started as root, without `server.user`, on a folder of root's or on none."""
    if is_root() and not settings.server.user:
        yield warning(
            "data",
            "the server is root, since the data folder is root's and server.user is empty: a fault of it would open the whole machine",
            f"useradd --system serendip, stop the server, chown -R serendip: {settings.data}, and set server.user=serendip",
        )


def _files(folder: Path, owner: int) -> Iterator[Finding]:
    """Check owners, modes and times of the folder's files."""
    files = [folder, *folder.iterdir(), *(folder / "keys").glob("*")]
    for file in files:
        try:
            seen = file.lstat()
        except FileNotFoundError:  # a temporary file
            continue
        if seen.st_uid != owner and file != folder:
            yield error("data", f"{file}: belongs to {name_of(seen.st_uid)}", f"chown {name_of(owner)} {file}")
        if seen.st_mode & 0o077 and (file.name in CLOSED or file.suffix == ".key"):
            yield error("data", f"{file}: others may use it ({stat.S_IMODE(seen.st_mode):04o})", f"chmod 600 {file}")
        if seen.st_mtime > time.time() + AHEAD:
            yield error("clock", f"{file}: is of a later time than now", "set the clock (timedatectl)")


def _limits(_: Settings) -> Iterator[Finding]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < DESCRIPTORS:
        yield warning("limits", f"{most} descriptors: about as many people can be here", "LimitNOFILE=, or ulimit -n")
