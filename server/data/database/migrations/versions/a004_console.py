"""Add the console: operators, their passkeys and sessions, and actions that wait for a second operator."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a004"
down_revision = "a003"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _name(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def _accounts() -> None:
    op.create_table(
        "operator",
        _name("name"),
        sa.Column("roles", sa.String(80), nullable=False),
        sa.Column("handle", sa.LargeBinary(16), nullable=False, unique=True),
        _time("made"),
        sa.Column("invite", sa.LargeBinary(16), unique=True),
        _time("invite_until", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_operator"),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.LargeBinary(1024), nullable=False),
        _name("operator"),
        sa.Column("credential", sa.LargeBinary(4096), nullable=False),
        _time("counter"),
        _time("made"),
        sa.PrimaryKeyConstraint("id", name="pk_passkey"),
    )
    op.create_index("ix_passkey_operator", "passkey", ["operator"])


def _sessions() -> None:
    op.create_table(
        "console_session",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        _name("operator"),
        _time("made"),
        _time("used"),
        _time("proved"),
        sa.PrimaryKeyConstraint("id", name="pk_console_session"),
    )
    op.create_index("ix_console_session_operator", "console_session", ["operator"])


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("subject", sa.LargeBinary(64), nullable=False),
        sa.Column("words", sa.String(500), nullable=False),
        _name("asked_by"),
        _time("asked"),
        _time("ready", nullable=True),
        _name("confirmed_by", nullable=True),
        _name("refused_by", nullable=True),
        sa.Column("alone", sa.Boolean, nullable=False),
        sa.Column("emergency", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    for column in ("asked", "subject"):
        op.create_index(f"ix_approval_{column}", "approval", [column])


def upgrade() -> None:
    _accounts()
    _sessions()
    _approvals()


def downgrade() -> None:
    for name in ("approval", "console_session", "passkey", "operator"):
        op.drop_table(name)
