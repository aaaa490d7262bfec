"""Short names and lives that the items share. Rule: a life is stated once."""

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

COPIES = ObjectPrefix("upkeep/")  # of what a restore must not set back: as long as the row, a minute at most
DEFAULT_DAYS = 120  # the statement's promise; settings may keep less, never more
AFTER_CHAT = Days(DEFAULT_DAYS, after="party.ended")
YEAR = Days(365, after="audit.time")
BUT_HELD = Delete(True, "yes; what a legal hold, an open report or a ban needs stays until that is over")
BY_ITSELF = Delete(False, "it goes by itself before a request could be answered")
IN_BROWSER = Delete(True, "yours to delete: “Forget everything” on the page, or the browser's own settings")
