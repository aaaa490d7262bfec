"""Add moderation: cases, their subjects, reports, evidence, bans, appeals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a003"
down_revision = "a002"
branch_labels = None
depends_on = None


def _ident(name: str = "id") -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(16), nullable=False)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{columns[0]}", table, list(columns))


def _cases() -> None:
    op.create_table(
        "case",
        _ident(),
        sa.Column("queue", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.String(80), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claimed_until", sa.BigInteger),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("measure", sa.String(8)),
        sa.Column("rule", sa.String(4)),
        sa.Column("machine", sa.Boolean, nullable=False),
        sa.Column("closed", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_case"),
    )
    _index("case", "state", "queue")
    _index("case", "closed")
    op.create_table(
        "case_subject",
        _ident("case"),
        sa.Column("identity", sa.LargeBinary(17)),
        sa.Column("address", sa.LargeBinary(80)),
        sa.Column("network", sa.LargeBinary(17)),
        sa.Column("country", sa.String(2)),
        sa.Column("closed", sa.BigInteger),
        sa.PrimaryKeyConstraint("case", name="pk_case_subject"),
    )
    for column in ("identity", "network", "closed"):
        _index("case_subject", column)


def _reports() -> None:
    op.create_table(
        "report",
        _ident(),
        _ident("case"),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(8), nullable=False),
        sa.Column("identity", sa.LargeBinary(17)),
        sa.Column("note", sa.LargeBinary(4200)),
        sa.Column("receipt", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("outcome", sa.String(8)),
        sa.Column("closed", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
    )
    for column in ("case", "identity", "closed"):
        _index("report", column)
    op.create_table(
        "evidence",
        _ident(),
        _ident("case"),
        sa.Column("side", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("object_key", sa.LargeBinary(80), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
    )
    for column in ("case", "until"):
        _index("evidence", column)


def _bans() -> None:
    op.create_table(
        "ban",
        _ident(),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("mac", sa.LargeBinary(17), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("rule", sa.String(4), nullable=False),
        _ident("case"),
        _ident("appeal"),
        sa.Column("lifted", sa.BigInteger),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ban"),
    )
    for column in ("case", "appeal", "changed", "until"):
        _index("ban", column)
    op.create_table(
        "appeal",
        _ident(),
        _ident("case"),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("text", sa.LargeBinary(4200)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("answer", sa.LargeBinary(1400)),
        sa.Column("closed", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_appeal"),
    )
    for column in ("case", "closed"):
        _index("appeal", column)


def upgrade() -> None:
    _cases()
    _reports()
    _bans()


def downgrade() -> None:
    for name in ("appeal", "ban", "evidence", "report", "case_subject", "case"):
        op.drop_table(name)
