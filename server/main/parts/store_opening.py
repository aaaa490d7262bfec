"""Open the store at the start, and the parts that use it: moderation, console, data requests.

**Invariant:** an error that the operator must resolve is a StartError that names the remedy.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.data.errors import Busy, KeysDiffer, SchemaDiffers
from server.data.records.store_ports import Store
from server.data.statement import current_statement
from server.main.checks.public_host_requirements import refusal
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.process.listening_sockets import Sockets, StartError
from server.ops.security import secret_keys
from server.site.translation.libretranslate import TranslationClient
from server.trust.console.console_ports import Console
from server.trust.data_requests.rights_ports import Rights
from server.trust.moderation_protocol import Safety, SafetyPorts
from server.trust.moderators.live_operations import Audit, LiveOperations
from server.trust.text_provider.provider_client import Explanation

PUBLIC_PATIENCE_S: Final = (
    30.0  # seconds that a public host waits for its database, which says whether a moderator reads reports
)


async def open_store(
    settings: Settings, secret: secret_keys.Keys, tasks: Tasks, address: Callable[[web.BaseRequest], str],
    told: current_statement.PublishedStatement, sockets: Sockets, ports: SafetyPorts,
    ask_provider: Callable[[str], Awaitable[tuple[Explanation, ...]]], live: LiveOperations,
) -> tuple[Store, Safety, Console | None, Rights, Audit]:  # fmt: skip
    """Open the store and the parts that use it. If the database is away, the server starts all the same. Raises StartError."""
    # These load 40 MB of libraries, which a server without a store does not need.
    from server.data.privacy.live_audit import LiveAudit
    from server.data.retention.deletion_notices import DeletionNotices
    from server.data.retention.purge import Purge
    from server.data.store import store_runner
    from server.trust.console import console_server as console_service
    from server.trust.console.detection_explanations import DetectionWords
    from server.trust.moderation import service as safety_service
    from server.trust.moderators.moderator_accounts import expected, unread_queues
    from server.trust.rights.service import over

    async def purge(parts: store_runner.Parts) -> None:
        notices = DeletionNotices(parts.pseudonyms, settings)
        await Purge(parts.database, parts.logs, parts.objects, settings.retention, notices=notices).run()

    try:
        store = store_runner.Store(settings, secret, purge, tasks)
        try:
            public = bool(refusal(settings, has_moderator=False))
            await store.start(patience=PUBLIC_PATIENCE_S if public else store_runner.PATIENCE)
            # A database that is away cannot say so: the host starts.
            has_moderator = not store.ready or await expected(store.parts.database, int(time.time()))
            if said := refusal(settings, has_moderator=has_moderator):
                raise StartError(said)
        except BaseException:
            await store.close()
            raise
    except (ValueError, LookupError, SchemaDiffers, KeysDiffer, Busy, OSError) as error:
        raise StartError(f"store: {error}") from None
    safety = safety_service.Safety(
        store.parts,
        store.country,
        tasks,
        lambda: unread_queues(store.parts.database),
        int(settings.screening.pause),
        ports,
        days=settings.retention.days,
    )
    console = None
    if settings.console.enabled:
        translator = TranslationClient(settings.translation) if settings.translation.url else None
        words = DetectionWords(
            settings.screening.folder(settings.data),
            settings.data,
            ask_provider if settings.screening.asks_provider else None,
        )
        console = console_service.Console(
            store.parts, settings, address, tasks, sockets, translator, words=words, live=live
        )
    audit = LiveAudit(store.parts.database, store.parts.pseudonyms)
    return store, safety, console, over(store.parts, secret, settings, tasks, told), audit
