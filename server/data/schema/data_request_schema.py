"""Define the tables of people's requests to see, correct or object to the use of their data.

**Invariant:** the requester is a keyed hash that cannot be joined with another table.

request ── request_text, request_contact      encrypted; deleted when the request closes, at the latest after 90 days
    ├───── request_mail               the address of a mail, hashed, for a day: one answer and one request per address
    └───── request_answer               the answer, encrypted
rights_key                              the time before which a person's rights keys (secrets that prove who asks) are void
agent_use                               codes of authorised agents that were used
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

NUMBER = not_personal("random number of the request")

request = Table(
    "request",
    metadata,
    Column("number", String(13), primary_key=True, info=NUMBER),
    Column("kind", String(12), nullable=False, info=pd("request")),
    Column("by", String(8), nullable=False, info=pd("request")),
    Column("level", SmallInteger, nullable=False, info=pd("request")),
    Column("who", LargeBinary(17), info=pd("request")),
    Column("secret", LargeBinary(16), info=pd("request")),
    Column("received", BigInteger, nullable=False, info=pd("request")),
    Column("acknowledged", BigInteger, nullable=False, info=pd("request")),
    Column("due", BigInteger, nullable=False, info=pd("request")),
    Column("outer", BigInteger, nullable=False, info=pd("request")),
    Column("extended", BigInteger, info=pd("request")),
    Column("why", String(500), nullable=False, info=pd("request")),
    Column("state", String(12), nullable=False, info=pd("request")),
    Column("reason", String(24), nullable=False, info=pd("request")),
    Column("answered", BigInteger, info=pd("request")),
    Column("closed", BigInteger, info=pd("request")),
    Index("ix_request_who", "who", "kind"),
    Index("ix_request_state", "state", "due"),
    Index("ix_request_closed", "closed"),
)

request_text = Table(
    "request_text",
    metadata,
    Column("request", String(13), primary_key=True, info=NUMBER),
    Column("text", LargeBinary(8200), nullable=False, info=pd("request_text")),
)

request_contact = Table(
    "request_contact",
    metadata,
    Column("request", String(13), primary_key=True, info=NUMBER),
    Column("contact", LargeBinary(1100), nullable=False, info=pd("request_text")),
)

request_answer = Table(
    "request_answer",
    metadata,
    Column("request", String(13), primary_key=True, info=NUMBER),
    Column("answer", LargeBinary(8200), nullable=False, info=pd("request_answer")),
    Column("at", BigInteger, nullable=False, info=pd("request_answer")),
    Index("ix_request_answer_at", "at"),
)

request_mail = Table(
    "request_mail",
    metadata,
    Column("address", LargeBinary(16), primary_key=True, info=pd("request_mail")),
    Column("message", LargeBinary(16), nullable=False, info=pd("request_mail")),
    Column("request", String(13), info=NUMBER),
    Column("at", BigInteger, nullable=False, info=pd("request_mail")),
    Column("answered", BigInteger, info=pd("request_mail")),
    Index("ix_request_mail_at", "at"),
)

rights_key = Table(
    "rights_key",
    metadata,
    Column("who", LargeBinary(17), primary_key=True, info=pd("rights_key")),
    Column("not_before", BigInteger, nullable=False, info=pd("rights_key")),
)

agent_use = Table(
    "agent_use",
    metadata,
    Column("code", LargeBinary(16), primary_key=True, info=pd("agent_use")),
    Column("request", String(13), nullable=False, info=NUMBER),
    Column("at", BigInteger, nullable=False, info=pd("agent_use")),
    Index("ix_agent_use_at", "at"),
)
