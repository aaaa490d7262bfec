"""Define the constants that several modules of the registry use: abbreviations of its types, and retention periods.

**Invariant:** each retention period is defined once.
"""

from __future__ import annotations

from server.data.privacy.registry_model import Category, Days, Delete, ObjectPrefix, Purpose, Recipient, Source

A, B, F, G, H, L, LOG = Category.A, Category.B, Category.F, Category.G, Category.H, Category.L, Category.LOG
PERSON, DERIVED, OTHER, OPERATOR = Source.PERSON, Source.DERIVED, Source.OTHER, Source.OPERATOR
SERVICE, SAFETY, LEGAL, VERIFY, RULES = Purpose.SERVICE, Purpose.SAFETY, Purpose.LEGAL, Purpose.VERIFY, Purpose.RULES
HOSTING, USER, LINK, POLICE, COURT, CHILDREN = (
    Recipient.HOSTING,
    Recipient.USER,
    Recipient.LINK,
    Recipient.POLICE,
    Recipient.COURT,
    Recipient.CHILDREN,
)

COPIES = ObjectPrefix(
    "upkeep/"
)  # copies of non-restorable state: kept as long as the row, and at most one minute longer
DEFAULT_DAYS = 120  # the statement's promise; settings may keep less, never more
AFTER_CHAT = Days(DEFAULT_DAYS, after="party.ended")
YEAR = Days(365, after="audit.time")
BUT_HELD = Delete(True, "yes; what a legal hold, an open report or a ban needs stays until that is over")
BY_ITSELF = Delete(False, "it goes by itself before a request could be answered")
IN_BROWSER = Delete(True, "yours to delete: “Forget everything” on the page, or the browser's own settings")
