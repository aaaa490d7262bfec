"""Check the services that this server uses: database, object store, mail server, LibreTranslate, captcha provider, TURN server.

**Invariant:** a check deletes whatever it created.
"""

import asyncio
import re
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import aiosmtplib
from sqlalchemy import text

from server.data.database import schema_migration
from server.data.database.key_fingerprints import WHAT_TO_DO as KEYS_REMEDY
from server.data.database.store_reachability import REMEDIES, cause_of
from server.data.errors import ObjectsAway, StoreAway
from server.data.objects.object_store import REMEDIES as OBJECTS_REMEDIES
from server.data.objects.object_store import VERSIONED
from server.data.statement.recipient_check import refusal
from server.data.store.store_runner import Parts
from server.main.checks.certificate_checks import certificates
from server.main.checks.check_finding import Finding, error, ok, warning
from server.main.checks.cluster_host_checks import SKEW, hosts
from server.main.checks.public_host_requirements import INVITE, public_names
from server.ops.config.challenge_settings import Challenge
from server.ops.config.moderation_policy import QUEUES, WAITING
from server.ops.config.screening_settings import Screening
from server.ops.config.settings import Mail, Settings, Translation
from server.ops.health.certificates import site_places
from server.ops.security.secret_keys import Keys
from server.realtime.video.ice_servers import IceServers, turn_secret
from server.site.translation.libretranslate import NotTranslated, TranslationClient
from server.trust.challenge.captcha_verdicts import Siteverify
from server.trust.moderators.moderator_accounts import expected, unread_queues
from server.trust.text_provider.provider_program import Misbehaved
from server.trust.text_provider.provider_trial import ProviderTrial

PROVIDER_REMEDY: Final = "its errors are above; try it: serendip safety rules try"
PATIENCE: Final = 10.0  # seconds for each check
_turn = re.compile(r"(turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?").fullmatch


async def outside(settings: Settings, keys: Keys, parts: Parts | None) -> list[Finding]:
    """Run all checks of other services, one after another; `parts` None: nothing is stored."""
    found: list[Finding] = []
    if parts is not None:
        found += await within("database", database, parts)
        found += await within("objects", objects, parts)
        if not settings.safety.moderated:
            found += await within("moderator", partial(moderator, settings), parts)
    if settings.cluster.nats:
        found += await within("cluster", partial(hosts, settings.cluster), keys)
    found += await certificates(site_places(settings))
    if settings.mail.host:
        found += await within("mail", mail, settings.mail)
    if settings.translation.url:
        found += await within("translation", translation, settings.translation)
    if settings.screening.asks_provider and not refusal(settings):
        found += await provider(settings.screening)  # with a limit of its own: it may load a model
    if settings.challenge.company is not None:
        found += await within("challenge", challenge, settings.challenge)
    credential = IceServers(settings.video, turn_secret(settings.video, keys)).credential()
    for url in settings.video.turn:
        found += await within("turn", turn, (url, credential["username"], credential["credential"]))
    return found


async def within(name: str, check: Callable[[Any], Awaitable[list[Finding]]], what: Any) -> list[Finding]:
    """Return a check's findings, or an error after PATIENCE seconds."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await check(what)
    except TimeoutError:
        return [error(name, f"no answer within {PATIENCE:g} s", "is it running, and may this machine reach it?")]


async def database(parts: Parts) -> list[Finding]:
    """Check that the database is reachable, at this program's revision, made with these keys, and agrees about the time."""
    try:
        revision = await schema_migration.revision(parts.database)
        problem = schema_migration.problem(revision)
        if problem is not None:
            return [(warning if not revision else error)("database", problem.said, problem.remedy)]
        foreign = await parts.fingerprints.problems()
        await parts.fingerprints.epochs()
        skew = await _skew(parts)
    except StoreAway as fault:
        cause = cause_of(fault)
        return [error("database", f"cannot be used: {cause} ({fault})", REMEDIES[cause])]
    found = [ok("database", f"revision {revision}")]
    found.append(error("keys", "; ".join(foreign), KEYS_REMEDY) if foreign else ok("keys", "those of the database"))
    if awaited := parts.pseudonyms.epochs.awaited:
        said = f"of epoch {', '.join(map(str, sorted(awaited)))}: another host's, and not here"
        found.append(warning("keys", said, "it comes while this host and one that has it run"))
    if abs(skew) > SKEW:
        found.append(warning("clock", f"{skew:+.0f} s from the database's", "set the clocks (timedatectl)"))
    return found


async def _skew(parts: Parts) -> float:
    """Return the seconds by which this clock is ahead of the database's; 0 for SQLite, which uses this one."""
    if parts.database.sqlite:
        return 0.0
    async with parts.database.read() as connection:
        theirs = (await connection.execute(text("SELECT extract(epoch FROM clock_timestamp())"))).scalar_one()
    return time.time() - float(theirs)


async def moderator(settings: Settings, parts: Parts) -> list[Finding]:
    """Check that accounts exist that read reports, for each queue."""
    try:
        unread = sorted(await unread_queues(parts.database))
        if not unread:
            return [ok("moderator", "each queue has an account that reads it")]
        if set(unread) != WAITING:
            said = f"no account with a passkey opens: {', '.join(unread)}"
            if not set(unread).isdisjoint(QUEUES):
                said += "; the page says that it is not certain that a moderator reads reports"
            return [
                warning(
                    "moderator", said, "give an account the roles: serendip console roles NAME moderator child lead"
                )
            ]
        if not public_names(settings):
            return []
        invited = await expected(parts.database, int(time.time()))
    except StoreAway:
        return []  # the check `database` says why
    if invited:
        said = "who is to read reports was invited, and has no passkey yet"
        return [warning("moderator", said, "open the link, within a day of the invitation")]
    level = warning if settings.safety.unattended else error
    return [level("moderator", "this host is public, and no account can read reports", INVITE)]


async def provider(chosen: Screening) -> list[Finding]:
    """Check that the provider of text answers, in its jail."""
    began = time.monotonic()
    try:
        trial = await asyncio.to_thread(ProviderTrial, chosen, show_errors=True)
    except (Misbehaved, OSError) as fault:
        return [error("provider", f"{chosen.provider_command or chosen.provider_url}: {fault}", PROVIDER_REMEDY)]
    without = ", ".join(trial.conversation.without or ())
    trial.close()
    if without:
        return [
            warning(
                "provider", f"it answers, and this system cannot take away from it: {without}", "install libseccomp"
            )
        ]
    return [ok("provider", f"it answers, in its jail, {time.monotonic() - began:.1f} s after its start")]


async def objects(parts: Parts) -> list[Finding]:
    """Check that a stored object can be read and deleted."""
    name, body = f"probe-{secrets.token_hex(8)}", secrets.token_bytes(64)
    try:
        await parts.objects.put(name, body)
        same = await parts.objects.get(name) == body
        await parts.objects.delete(name)
        versioned = await parts.objects.versioned()
    except ObjectsAway as fault:
        return [error("objects", f"cannot be used: {fault}", OBJECTS_REMEDIES[fault.cause])]
    if not same:
        return [
            error("objects", "what was stored came back otherwise", "look at what stands between here and the bucket")
        ]
    return [
        warning("objects", "the bucket keeps versions", VERSIONED)
        if versioned
        else ok("objects", "stored, read, deleted")
    ]


async def mail(chosen: Mail) -> list[Finding]:
    """Check the mail server: connect, EHLO, TLS, login; no mail is sent."""
    client = aiosmtplib.SMTP(
        hostname=chosen.host,
        port=chosen.port,
        username=chosen.user or None,
        password=chosen.password.get_secret_value() or None,
        use_tls=chosen.security == "tls",
        start_tls=chosen.security == "starttls",
        timeout=PATIENCE,
    )
    try:
        async with client:
            await client.ehlo()
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as fault:
        said = f"{chosen.host} port {chosen.port}: {type(fault).__name__}"
        return [error("mail", said, "look at mail.host, port, security, user and password")]
    return [ok("mail", f"{chosen.host} port {chosen.port} takes mail{' from ' + chosen.user if chosen.user else ''}")]


async def translation(chosen: Translation) -> list[Finding]:
    """Check that a line is translated, with the key if there is one."""
    libre = TranslationClient(chosen)
    try:
        await libre.translate("hello", "en", "es")
    except NotTranslated as fault:
        remedy = "look at translation.url and key; is it running, with the languages English and Spanish?"
        return [error("translation", f"{chosen.url}: {fault}", remedy)]
    finally:
        await libre.stop()
    return [ok("translation", f"{chosen.url} translates")]


async def challenge(chosen: Challenge) -> list[Finding]:
    """Check that the captcha provider refuses an invalid answer: it is reachable, and accepts the key."""
    if chosen.company is None:
        return []
    company = Siteverify(chosen, chosen.company)
    company.hosts = ("*",)
    try:
        right = await company.right("none", "")
    finally:
        await company.stop()
    if right is None:
        remedy = "look at challenge.secret and verify_url; may this machine reach it?"
        return [error("challenge", f"{chosen.company.verify_url}: {company.said}", remedy)]
    if right:
        return [warning("challenge", f"{chosen.company.verify_url} takes any answer", "is that a key for tests?")]
    return [ok("challenge", f"{chosen.company.verify_url} checks answers")]


async def turn(asked: tuple[str, str, str]) -> list[Finding]:
    """Check that the TURN server allocates a relay for a user's credential: (URL, name, password)."""
    url, username, password = asked
    try:
        from aioice import stun
        from aioice import turn as client
    except ModuleNotFoundError:
        return [warning("turn", f"{url}: not tried", "pip install './client[video]'")]
    found = _turn(url)
    if found is None:
        return [error("turn", f"{url}: is no address of a TURN server", "turn:HOST:PORT?transport=udp")]
    scheme, host, port, transport = found.groups()
    try:
        relay, _ = await client.create_turn_endpoint(
            asyncio.DatagramProtocol,
            server_addr=(host.strip("[]"), int(port or (5349 if scheme == "turns" else 3478))),
            username=username,
            password=password,
            ssl=scheme == "turns",
            transport="tcp" if scheme == "turns" else transport or "udp",
        )
    except (stun.TransactionFailed, stun.TransactionTimeout, OSError) as fault:
        why = "refused the credential" if isinstance(fault, stun.TransactionFailed) else type(fault).__name__
        return [
            error(
                "turn",
                f"{url}: {why}",
                "does it run, can it be reached, and does it share the secret? serendip keys turn",
            )
        ]
    relay.close()
    return [ok("turn", f"{url} relays")]
