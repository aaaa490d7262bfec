"""Every piece of personal data that this service stores, logs or hands on. Rule: a change of category, purpose or recipient needs a new version.

The statement, the purge, the expiry in queries, the walk of the schema and the canary run all read this module. Days of
120 are the default that `retention.days` may shorten. After a change: `serendip privacy release` writes the next
version into `history/`; a test fails until it is there. Facts and law: the project's privacy notes.
"""

from __future__ import annotations

from server.privacy.model import (
    Basis,
    BrowserStore,
    Category,
    Column,
    Contract,
    Cookie,
    Days,
    Delete,
    Export,
    Forever,
    HandedOn,
    Item,
    Memory,
    NotPersonal,
    ObjectPrefix,
    Purpose,
    Recipient,
    Registry,
    Source,
    Text,
    While,
)

A, B, F, G, L, LOG = Category.A, Category.B, Category.F, Category.G, Category.L, Category.LOG
PERSON, DERIVED, OTHER, OPERATOR = Source.PERSON, Source.DERIVED, Source.OTHER, Source.OPERATOR
SERVICE, SAFETY, LEGAL, VERIFY, RULES = Purpose.SERVICE, Purpose.SAFETY, Purpose.LEGAL, Purpose.VERIFY, Purpose.RULES
HOSTING, USER, LINK, POLICE, COURT = (
    Recipient.HOSTING,
    Recipient.USER,
    Recipient.LINK,
    Recipient.POLICE,
    Recipient.COURT,
)

CHOICES = (
    "language",
    "words",
    "theme",
    "size",
    "sounds",
    "auto",
    "confirm",
    "adult",
    "minor",
    "blur",
    "hide",
    "letters",
    "statement",
)  # of web/keep.js
DEFAULT_DAYS = 120  # the statement's promise; settings may keep less, never more
AFTER_CHAT = Days(DEFAULT_DAYS, after="party.ended")
YEAR = Days(365, after="audit.time")
BUT_HELD = Delete(True, "yes; what a legal hold, an open report or a ban needs stays until that is over")
BY_ITSELF = Delete(False, "it goes by itself before a request could be answered")
IN_BROWSER = Delete(True, "yours to delete: “Forget everything” on the page, or the browser's own settings")

STORED = (
    Item(
        key="identity",
        categories=(A,),
        what="A random number in a cookie, set on the first visit. Stored with your chats as a keyed hash only",
        sources=(PERSON,),
        purposes=(SAFETY, VERIFY),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Cookie("id"),
            Cookie("__Host-id"),
            Column("party.identity", "keyed"),
            Column("held_party.identity", "keyed"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
    Item(
        key="address",
        categories=(A,),
        what="Your IP address, with your chats: encrypted, and as a keyed hash to find it again",
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Column("party.address", "sealed"),
            Column("party.address_mac", "keyed"),
            Column("held_party.address", "sealed"),
            Column("held_party.address_mac", "keyed"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
    Item(
        key="country",
        categories=(G,),
        what="The country of your IP address, nothing finer",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT),
        keep=AFTER_CHAT,
        places=(Column("party.country"), Column("held_party.country")),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
        rare="addresses of a test have no country",
    ),
    Item(
        key="chat",
        categories=(F,),
        what=(
            "That you were in a chat: when it began and ended, which kind, and how it ended. Not what was said, "
            "and not with whom but by the chat"
        ),
        sources=(PERSON,),
        purposes=(SAFETY, SERVICE),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Column("party.side"),
            Column("party.ended"),
            Column("held_party.side"),
            Column("held_party.ended"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
    Item(
        key="log",
        categories=(LOG, L),
        what=(
            "The text of a chat that one of the two saved, with the interests that they shared, the kind of chat and its"
            " question. It can hold anything that the two wrote"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER, LINK, POLICE, COURT),
        keep=Forever("somebody asked for it to be kept; either of the two can have it removed"),
        places=(ObjectPrefix("logs/"), HandedOn(LINK, "the page of the saved log")),
        export=Export.BOTH,
        delete=Delete(True, "yes, whole, asked by either of the two; hidden, not deleted, while a legal hold is on it"),
        subject="log_party.identity",
        hold=True,
    ),
    Item(
        key="log_college",
        categories=(B,),
        what="The college domains that the two showed each other in a chat that one of them saved, beside its text",
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER, LINK, COURT),
        keep=Forever("as long as the saved log exists"),
        places=(ObjectPrefix("logs/"), HandedOn(LINK, "the page of the saved log")),
        export=Export.BOTH,
        delete=Delete(True, "yes, with the log"),
        subject="log_party.identity",
        hold=True,
        rare="college mode only",
    ),
    Item(
        key="log_party",
        categories=(A,),
        what="The identifiers and IP addresses of the two people of a saved log, apart from its text: keyed, and encrypted",
        sources=(PERSON,),
        purposes=(SAFETY, VERIFY),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Forever("as long as the saved log exists"),
        places=(
            Column("log_party.side"),
            Column("log_party.identity", "keyed"),
            Column("log_party.address", "sealed"),
            Column("log_party.address_mac", "keyed"),
        ),
        export=Export.OWN,
        delete=Delete(True, "yes, with the log"),
        subject="log_party.identity",
        hold=True,
    ),
    Item(
        key="log_secret",
        categories=(A,),
        what="The keyed hash of the address that deletes a saved log",
        sources=(DERIVED,),
        purposes=(SERVICE, VERIFY),
        basis=Basis.CONTRACT,
        recipients=(HOSTING,),
        keep=Forever("as long as the saved log exists"),
        places=(Column("log.delete_hash", "keyed"),),
        export=Export.CREDENTIAL,
        delete=Delete(True, "yes, with the log"),
    ),
    Item(
        key="hold",
        categories=(A,),
        what="Orders to preserve something: whose, by which authority, why, until when",
        sources=(OPERATOR,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=While("the order is in force"),
        places=(
            *(Column(f"hold.{name}") for name in ("authority", "reason", "secret", "placed", "until", "released")),
            Column("hold.selector", "sealed"),
            Column("hold_match.hold"),
            Column("hold_match.value", "keyed"),
        ),
        export=Export.FACT,
        delete=Delete(False, "no: the law asks for it; it goes when the order ends"),
        rare="only while an operator has placed one",
    ),
    Item(
        key="audit",
        categories=(F,),
        what="What the operators did with stored data, when and why; the person concerned as a keyed hash",
        sources=(OPERATOR,),
        purposes=(SAFETY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=YEAR,
        places=tuple(
            Column(f"audit.{name}", "keyed" if name == "subject" else "plain")
            for name in ("time", "operator", "action", "subject", "why", "outcome")
        ),
        export=Export.WHEN_AND_WHY,
        delete=Delete(False, "no: it guards everybody's data against the operators themselves"),
        subject="audit.subject",
        rare="only when an operator used the commands",
    ),
    Item(
        key="erasure",
        categories=(A,),
        what="A list of what was deleted, as keyed hashes, so that a restored backup does not bring it back",
        sources=(DERIVED,),
        purposes=(VERIFY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Days(30, after="the deletion"),
        places=(ObjectPrefix("erasures/"),),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: without it the deletion would not hold; it goes when the last backup is gone"),
    ),
)

IN_PASSING = (
    Item(
        key="talk",
        categories=(LOG, L),
        what=(
            "What is said in a running chat, so that a lost connection loses nothing and a chat can be saved. "
            "Never logged, never stored unless saved"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the chat, and 10 minutes after it, in which it can be saved", longest=615),
        places=(Memory("ring", 615), HandedOn(USER, "the chat")),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="signal",
        categories=(A,),
        what="In video chats your IP address reaches the other person's device, unless you choose to go through a relay",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the call"),
        places=(HandedOn(USER, "the video connection"),),
        export=Export.FACT,
        delete=Delete(False, "nothing is kept here; what the other person's device learned cannot be called back"),
        rare="video chats only",
    ),
    Item(
        key="interests",
        categories=(F,),
        what="Your interests: in your browser, and in memory while a partner is looked for. Both are told what they share",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the search and the chat"),
        places=(BrowserStore("serendip/tags"), Memory("ticket", 86_400), HandedOn(USER, "the chat: what both named")),
        export=Export.BROWSER,
        delete=IN_BROWSER,
    ),
    Item(
        key="college",
        categories=(B,),
        what=(
            "Your college's domain, in your browser, with the proof that you have an address there; shown to the "
            "other person in college mode"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER),
        keep=While("your browser keeps it; the proof runs out"),
        places=(
            BrowserStore("serendip.college"),
            Memory("ticket", 86_400),
            HandedOn(USER, "the chat in college mode"),
        ),
        export=Export.BROWSER,
        delete=IN_BROWSER,
        rare="college mode only",
    ),
    Item(
        key="college_mail",
        categories=(A, B),
        what="Your mail address while a code is sent to it, in memory; then only its keyed hash, also inside the proof in your browser",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, Recipient.RELAY),
        keep=While("the code is valid; as a keyed hash for an hour, so that one mail an hour goes to it", longest=3600),
        places=(Memory("outbox", 600), Memory("checks", 3600), HandedOn(Recipient.RELAY, "the mail with the code")),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="college mode only",
    ),
    Item(
        key="question",
        categories=(F,),
        what=(
            "A question asked in spy mode, shown to the two who discuss it; kept to be asked again only if the "
            "asker allows it, without the asker"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the chat; a day where it may be asked again", longest=86_400),
        places=(Memory("questions", 86_400), HandedOn(USER, "the discussion")),
        export=Export.NOT_LINKED,
        delete=BY_ITSELF,
        rare="spy mode only",
    ),
    Item(
        key="choices",
        categories=(F,),
        what=(
            "Your choices on the page: languages, text size, whether a search goes on by itself, that you are an "
            "adult, which statement you have seen"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(),
        keep=While("your browser keeps them"),
        places=(
            *(BrowserStore(f"serendip/{name}") for name in CHOICES),
            BrowserStore("serendip"),
            BrowserStore("serendip.try"),
        ),
        export=Export.BROWSER,
        delete=IN_BROWSER,
    ),
    Item(
        key="report",
        categories=(F,),
        what="That you reported somebody: counted, in memory, without you or them; the two are not paired again for a day",
        sources=(PERSON,),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("a day, in memory", longest=86_400),
        places=(Memory("blocks", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="met",
        categories=(A,),
        what=(
            "Whom you met last, as numbers of sessions and identity hashes, so that you do not meet again at "
            "once. In memory, and encrypted in your browser's resume token"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY, SERVICE),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("10 minutes", longest=600),
        places=(Memory("recents", 600), Memory("token", 600), BrowserStore("serendip.way")),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="limits",
        categories=(A,),
        what="How often an address connects, searches or tries log links, in memory",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("minutes", longest=3600),
        places=(Memory("limits", 3600),),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="queue",
        categories=(A, F),
        what="The record of a chat that just ended, on its way to the database, in memory",
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("the database takes it, seconds as a rule"),
        places=(Memory("writer", 3600),),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
)

NOT_PERSONAL = (
    NotPersonal("file:secret", "the service's own random secret"),
    NotPersonal("file:secret.previous", "the secret before the last rotation"),
    NotPersonal("file:keys/", "random keys, one an epoch, and the kept one"),
    NotPersonal("file:purge.lock", "empty"),
    NotPersonal("file:serendip.db", "the tables, declared column by column"),
    NotPersonal("file:serendip.db-wal", "the tables' newest changes"),
    NotPersonal("file:serendip.db-shm", "an index of the above"),
    *(
        NotPersonal(f"log:{name}", why)
        for name, why in {
            "host": "an address that this server listens on",
            "port": "a port that this server listens on",
            "logger": "the name of a library",
            "error": "the type of an exception",
            "where": "places in the source",
            "online": "a number of sessions",
            "count": "a number",
        }.items()
    ),
    *(
        NotPersonal(f"label:{name}", "one of a fixed list of words in the metrics' table")
        for name in (
            *("by", "code", "connection", "direction", "event", "language", "mode", "outcome", "reason"),
            *("result", "rule", "side", "state", "status", "what"),
        )
    ),
    NotPersonal("label:version", "this program's version"),
    NotPersonal("label:python", "the interpreter's version"),
    NotPersonal("metric:*", "counts and durations; no label holds anything that came from outside"),
)

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
        "change",
        "Changes",
        "No new category, purpose or recipient without a new version of this statement; who comes back is told so on the page.",
    ),
)

REGISTRY = Registry(
    items=STORED + IN_PASSING,
    not_personal=NOT_PERSONAL,
    contracts=CONTRACTS,
    none=(Category.C, Category.D, Category.E, Category.H, Category.I, Category.J, Category.K),
    texts=TEXTS,
)

__all__ = ["DEFAULT_DAYS", "REGISTRY"]
