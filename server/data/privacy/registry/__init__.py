"""Every piece of personal data that this service stores, logs or hands on. Rule: a change of category, purpose or recipient needs a new version.

The statement, the purge, the expiry in queries, the walk of the schema and the canary run all read this module. Days of
120 are the default that `retention.days` may shorten. After a change: `serendip privacy release` writes the next
version into `history/`; a test fails until it is there. Facts and law: the project's privacy notes.
"""

from __future__ import annotations

from server.privacy.model import Category, Registry
from server.privacy.registry.chats import CHATS
from server.privacy.registry.console import CONSOLE
from server.privacy.registry.knocking import KNOCKING
from server.privacy.registry.logs import LOGS
from server.privacy.registry.passing import PASSING
from server.privacy.registry.plain import NOT_PERSONAL
from server.privacy.registry.requests import REQUESTS
from server.privacy.registry.rights import RIGHTS
from server.privacy.registry.safety import SAFETY_ITEMS
from server.privacy.registry.terms import DEFAULT_DAYS
from server.privacy.registry.texts import CONTRACTS, TEXTS
from server.privacy.registry.upkeep import UPKEEP

REGISTRY = Registry(
    items=CHATS + LOGS + SAFETY_ITEMS + CONSOLE + UPKEEP + RIGHTS + PASSING + KNOCKING + REQUESTS,
    not_personal=NOT_PERSONAL,
    contracts=CONTRACTS,
    none=(Category.C, Category.D, Category.E, Category.I, Category.J, Category.K),
    texts=TEXTS,
)

__all__ = ["DEFAULT_DAYS", "REGISTRY"]
