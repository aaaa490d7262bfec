"""Define the tables of the moderators' console: operators, passkeys, sessions, API tokens, and actions that wait for a
second operator.

    operator ──┬── passkey            public keys alone: no stored value grants access
               ├── console_session    a keyed hash of the cookie's secret
               ├── answer_template    a saved text for users
               └── api_token          a keyed hash of a token of the moderation API

Closing an account deletes its rows, except those of `approval`, the record of what two operators decided.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

operator = Table(
    "operator",
    metadata,
    Column("name", String(64), primary_key=True, info=pd("operator")),
    Column("roles", String(80), nullable=False, info=pd("operator")),
    Column("handle", LargeBinary(16), nullable=False, unique=True, info=not_personal("random")),
    Column("made", BigInteger, nullable=False, info=pd("operator")),
    Column("invite", LargeBinary(16), unique=True, info=not_personal("keyed hash of a random link")),
    Column("invite_until", BigInteger, info=not_personal("when that link ends")),
    Column(
        "changed", BigInteger, info=pd("operator")
    ),  # when its passkey or its roles last changed; NULL: before this column existed
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", LargeBinary(1024), primary_key=True, info=pd("operator")),
    Column("operator", String(64), nullable=False, info=pd("operator")),
    Column("credential", LargeBinary(4096), nullable=False, info=pd("operator")),
    Column("counter", BigInteger, nullable=False, info=pd("operator")),
    Column("made", BigInteger, nullable=False, info=pd("operator")),
    Index("ix_passkey_operator", "operator"),
)

console_session = Table(
    "console_session",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("keyed hash of a random cookie")),
    Column("operator", String(64), nullable=False, info=pd("operator")),
    Column("made", BigInteger, nullable=False, info=pd("operator")),
    Column("used", BigInteger, nullable=False, info=pd("operator")),
    Column("proved", BigInteger, nullable=False, info=pd("operator")),
    Index("ix_console_session_operator", "operator"),
)

answer_template = Table(
    "answer_template",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("random")),
    Column("operator", String(64), nullable=False, info=pd("answer_template")),
    Column("language", String(8), nullable=False, info=pd("answer_template")),
    Column("title", String(60), nullable=False, info=pd("answer_template")),
    Column("text", String(300), nullable=False, info=pd("answer_template")),
    Column("made", BigInteger, nullable=False, info=pd("answer_template")),
    Index("ix_answer_template_operator", "operator"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("keyed hash of a random token")),
    Column("operator", String(64), nullable=False, info=pd("api_token")),
    Column("name", String(40), nullable=False, info=pd("api_token")),
    Column("scopes", String(40), nullable=False, info=pd("api_token")),
    Column("made", BigInteger, nullable=False, info=pd("api_token")),
    Column("until", BigInteger, nullable=False, info=pd("api_token")),
    Column("used", BigInteger, info=pd("api_token")),
    Index("ix_api_token_operator", "operator"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("random")),
    Column("action", String(16), nullable=False, info=pd("approval")),
    Column("subject", LargeBinary(64), nullable=False, info=not_personal("random id of what it is about, as a case's")),
    Column("words", String(500), nullable=False, info=pd("approval")),
    Column("asked_by", String(64), nullable=False, info=pd("approval")),
    Column("asked", BigInteger, nullable=False, info=pd("approval")),
    Column("ready", BigInteger, info=pd("approval")),
    Column("confirmed_by", String(64), info=pd("approval")),
    Column("refused_by", String(64), info=pd("approval")),
    Column("alone", Boolean, nullable=False, info=pd("approval")),
    Column("emergency", Boolean, nullable=False, info=pd("approval")),
    Index("ix_approval_asked", "asked"),
    Index("ix_approval_subject", "subject"),
)
