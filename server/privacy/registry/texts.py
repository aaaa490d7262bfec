"""What the statement says in words, and who gets data under which contract. Rule: a promise here is tested like an item."""

from __future__ import annotations

from server.privacy.model import Contract, Recipient, Text

CONTRACTS = (
    Contract(Recipient.HOSTING, "data processing agreement", "by us at once; their own logs as the operator states"),
    Contract(Recipient.RELAY, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.USER, "none: you talk to them", "cannot be called back"),
    Contract(Recipient.LINK, "none: whoever has the link", "with the log"),
    Contract(Recipient.POLICE, "none: on demand, within the law", "by them, under their law"),
    Contract(Recipient.COURT, "none: a legal order, exactly what it names", "by them, under their law"),
)

TEXTS = (
    Text(
        "sale", "Nothing is sold", "We do not sell or share personal information, and have not in the last 12 months."
    ),
    Text(
        "marketing",
        "“Shine the Light”",
        "We have disclosed nothing to anybody for direct marketing (California Civil Code § 1798.83).",
    ),
    Text(
        "adults",
        "Adults only",
        "The service is for people of 18 and over. Data of younger people, should any come in, is removed.",
    ),
    Text(
        "warning",
        "Be careful with what you tell a stranger",
        "The other person can save, record or copy what you write and show. A saved log can be passed on by whoever has its link.",
    ),
    Text(
        "refused",
        "Without cookies",
        "If your browser refuses the cookie, text chat works all the same; your chats are then recorded without an identifier.",
    ),
    Text(
        "third",
        "No third parties on our pages",
        "No social buttons, no scripts and no fonts of others. Other sites that somebody links to are not covered by this statement.",
    ),
    Text(
        "disk",
        "How deletion works",
        "What is deleted or has run out is hidden at once and leaves the database within a day and a half, backups within their life"
        " (see below). Addresses and identifiers are encrypted or keyed with a key of their month, which is destroyed after that.",
    ),
    Text(
        "programs",
        "Other programs",
        "Programs that use the Omegle-compatible interface send no cookie. Their users cannot be recognised;"
        " what opens a saved log of theirs is its address alone.",
    ),
    Text(
        "figures",
        "What is published of moderation",
        "Each month we publish how much was reported, decided, appealed and taken back: counts alone, none below 10, and none from which"
        " one below 10 could be worked out. The counts stay when the rows are gone.",
    ),
    Text(
        "change",
        "Changes",
        "No new category, purpose or recipient without a new version of this statement; who comes back is told so on the page.",
    ),
)
