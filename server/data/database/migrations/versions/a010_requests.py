"""Add requests about one's own data, with their texts in tables of their own; revoked keys, used codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a010"
down_revision = "a008"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _number(name: str = "request") -> sa.Column[str]:
    return sa.Column(name, sa.String(13), nullable=False)


def _requests() -> None:
    op.create_table(
        "request",
        _number("number"),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("by", sa.String(8), nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("who", sa.LargeBinary(17)),
        sa.Column("secret", sa.LargeBinary(16)),
        *(_time(name) for name in ("received", "acknowledged", "due", "outer")),
        _time("extended", nullable=True),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        _time("answered", nullable=True),
        _time("closed", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_request"),
    )
    op.create_index("ix_request_who", "request", ["who", "kind"])
    op.create_index("ix_request_state", "request", ["state", "due"])
    op.create_index("ix_request_closed", "request", ["closed"])


def _steps() -> None:
    op.create_table(
        "request_step",
        _number(),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("how", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("request", "recipient", name="pk_request_step"),
    )
    op.create_index("ix_request_step_at", "request_step", ["at"])


def _words() -> None:
    for table, column, size in (
        ("request_text", "text", 8200),
        ("request_contact", "contact", 1100),
        ("request_answer", "answer", 8200),
    ):
        op.create_table(
            table,
            _number(),
            sa.Column(column, sa.LargeBinary(size), nullable=False),
            *([_time("at")] if table == "request_answer" else []),
            sa.PrimaryKeyConstraint("request", name=f"pk_{table}"),
        )
    op.create_index("ix_request_answer_at", "request_answer", ["at"])


def _proofs() -> None:
    op.create_table(
        "rights_key",
        sa.Column("who", sa.LargeBinary(17), nullable=False),
        _time("not_before"),
        sa.PrimaryKeyConstraint("who", name="pk_rights_key"),
    )
    op.create_table(
        "agent_use",
        sa.Column("code", sa.LargeBinary(16), nullable=False),
        _number(),
        _time("at"),
        sa.PrimaryKeyConstraint("code", name="pk_agent_use"),
    )
    op.create_index("ix_agent_use_at", "agent_use", ["at"])


def upgrade() -> None:
    _requests()
    _steps()
    _words()
    _proofs()


def downgrade() -> None:
    for name in (
        "agent_use",
        "rights_key",
        "request_answer",
        "request_contact",
        "request_text",
        "request_step",
        "request",
    ):
        op.drop_table(name)
