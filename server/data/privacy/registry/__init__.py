"""Declare every item of personal data that this service stores, logs or passes on, one module per subject; `REGISTRY` combines them.

**Rule:** a changed category, purpose or recipient needs a new version, written by `serendip privacy release`. The privacy statement, the purge and
the checks are all derived from this package. A retention of 120 days is a default, which `retention.days` may shorten.
"""

from __future__ import annotations

from server.data.privacy.registry.admission import KNOCKING
from server.data.privacy.registry.chat_logs import LOGS
from server.data.privacy.registry.chats import CHATS
from server.data.privacy.registry.console import CONSOLE
from server.data.privacy.registry.not_personal import NOT_PERSONAL
from server.data.privacy.registry.recorded_actions import UPKEEP
from server.data.privacy.registry.requests import REQUESTS
from server.data.privacy.registry.rights import RIGHTS
from server.data.privacy.registry.safety import SAFETY_ITEMS
from server.data.privacy.registry.shared_terms import DEFAULT_DAYS
from server.data.privacy.registry.statement_texts import CONTRACTS, TEXTS
from server.data.privacy.registry.transient import PASSING
from server.data.privacy.registry_model import Category, Registry

REGISTRY = Registry(
    items=CHATS + LOGS + SAFETY_ITEMS + CONSOLE + UPKEEP + RIGHTS + PASSING + KNOCKING + REQUESTS,
    not_personal=NOT_PERSONAL,
    contracts=CONTRACTS,
    none=(Category.C, Category.D, Category.E, Category.I, Category.J, Category.K),
    texts=TEXTS,
)

__all__ = ["DEFAULT_DAYS", "REGISTRY"]
