"""Define the tables of chats, saved logs, legal holds and the audit log, and the SQLAlchemy metadata that all schema modules share.

**Invariant:** a row is about one person and holds no chat text, and every column declares its personal data in `info["pd"]` (checked by a test).
Times are Unix seconds. No foreign key points to `chat` and `party`, because it would prevent dropping their daily partitions.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"})

Info = dict[str, str | None]


def pd(key: str) -> Info:
    """Return the column info that names the registry item of this column."""
    return {"pd": key}


def not_personal(why: str) -> Info:
    """Return the column info of a column that is about no person, with the reason."""
    return {"pd": None, "why": why}


CHAT_ID = not_personal("random, and the time of the chat's end; no row says whose chat it was but the person's own")
OF_A_CHAT = not_personal("a property of a chat, not of a person; no row here names anyone")


def _chat(name: str, **options: Any) -> Table:
    """Define a table of chats, without participants."""
    return Table(
        name,
        metadata,
        Column("id", LargeBinary(16), primary_key=True, info=CHAT_ID),
        Column("mode", String(8), nullable=False, info=OF_A_CHAT),
        Column("started", BigInteger, nullable=False, info=OF_A_CHAT),
        Column("ended", BigInteger, nullable=False, info=OF_A_CHAT),
        Column("how", String(16), nullable=False, info=OF_A_CHAT),
        **options,
    )


def _party(name: str, *indexes: Index, **options: Any) -> Table:
    """Define a table of participants, one row each. `side`: 0 or 1, 2 for a spy."""
    return Table(
        name,
        metadata,
        Column("chat", LargeBinary(16), primary_key=True, info=CHAT_ID),
        Column("side", SmallInteger, primary_key=True, autoincrement=False, info=pd("chat")),
        Column("ended", BigInteger, nullable=False, info=pd("chat")),
        Column("identity", LargeBinary(17), info=pd("identity")),
        Column("address", LargeBinary(80), info=pd("address")),
        Column("address_mac", LargeBinary(17), info=pd("address")),
        Column("country", String(2), info=pd("country")),
        *indexes,
        **options,
    )


PARTITIONED = {"postgresql_partition_by": "RANGE (id)", "sqlite_with_rowid": False}
chat = _chat("chat", **PARTITIONED)
party = _party(
    "party",
    Index("ix_party_identity", "identity"),
    Index("ix_party_address_mac", "address_mac"),
    **{**PARTITIONED, "postgresql_partition_by": "RANGE (chat)"},
)
held_chat = _chat("held_chat", sqlite_with_rowid=False)
held_party = _party("held_party", Index("ix_held_party_identity", "identity"), sqlite_with_rowid=False)

log = Table(
    "log",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("random")),
    Column(
        "url_hash", LargeBinary(16), nullable=False, unique=True, info=not_personal("keyed hash of a random address")
    ),
    Column("delete_hash", LargeBinary(16), nullable=False, unique=True, info=pd("log_secret")),
    Column("object", String(64), nullable=False, info=not_personal("random name")),
    Column("object_key", LargeBinary(80), nullable=False, info=not_personal("random key, wrapped")),
    Column("saved", BigInteger, nullable=False, info=not_personal("the time of saving; names no one")),
    Column("hidden", BigInteger, info=not_personal("the time at which somebody had it removed while it was held")),
)

log_party = Table(
    "log_party",
    metadata,
    Column("log", LargeBinary(16), primary_key=True, info=not_personal("random id of the log")),
    Column("side", SmallInteger, primary_key=True, autoincrement=False, info=pd("log_party")),
    Column("identity", LargeBinary(17), info=pd("log_party")),
    Column("address", LargeBinary(80), info=pd("log_party")),
    Column("address_mac", LargeBinary(17), info=pd("log_party")),
    Index("ix_log_party_identity", "identity"),
    Index("ix_log_party_address_mac", "address_mac"),
)

doomed = Table(
    "doomed",
    metadata,
    Column("object", String(64), primary_key=True, info=not_personal("random name of an object that is to go")),
    Column("since", BigInteger, nullable=False, info=not_personal("when it may go")),
    Column(
        "erasure", LargeBinary(32), info=not_personal("what the erasure list will say: keyed hash of a log's random id")
    ),
)

hold = Table(
    "hold",
    metadata,
    Column("id", Integer, primary_key=True, info=not_personal("a number")),
    Column("kind", String(8), nullable=False, info=not_personal("identity, address or log")),
    Column("selector", LargeBinary(160), nullable=False, info=pd("hold")),
    Column("authority", String(200), nullable=False, info=pd("hold")),
    Column("reason", String(500), nullable=False, info=pd("hold")),
    Column("secret", Boolean, nullable=False, info=pd("hold")),
    Column("placed", BigInteger, nullable=False, info=pd("hold")),
    Column("until", BigInteger, nullable=False, info=pd("hold")),
    Column("released", BigInteger, info=pd("hold")),
)

hold_match = Table(
    "hold_match",
    metadata,
    Column("hold", Integer, primary_key=True, autoincrement=False, info=pd("hold")),
    Column("value", LargeBinary(17), primary_key=True, info=pd("hold")),
    Index("ix_hold_match_value", "value"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, info=not_personal("a number")),
    Column("time", BigInteger, nullable=False, info=pd("audit")),
    Column("operator", String(64), nullable=False, info=pd("audit")),
    Column("action", String(40), nullable=False, info=pd("audit")),
    Column("subject", LargeBinary(17), info=pd("audit")),
    Column("why", String(500), nullable=False, info=pd("audit")),
    Column("outcome", Text, nullable=False, info=pd("audit")),
    Index("ix_audit_time", "time"),
    Index("ix_audit_subject", "subject"),
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("name", String(16), primary_key=True, info=not_personal("the name of a key of this service")),
    Column(
        "value",
        LargeBinary(17),
        nullable=False,
        info=not_personal("a check value of that key, which tells nothing of it"),
    ),
)

DAILY = (chat, party)
TWINS = {"chat": held_chat, "party": held_party}
