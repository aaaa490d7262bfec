"""Add the table of deletion requests, and the table with the original values of rows that such a request hides until it is carried out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a011"
down_revision = "a010"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "deletion",
        sa.Column("number", sa.String(13), nullable=False),
        sa.Column("who", sa.LargeBinary(17)),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("records", sa.Boolean, nullable=False),
        sa.Column("logs", sa.Boolean, nullable=False),
        _time("asked"),
        _time("due"),
        _time("done", nullable=True),
        sa.Column("statement", sa.String(16), nullable=False),
        sa.Column("hold", sa.Integer),
        sa.PrimaryKeyConstraint("number", name="pk_deletion"),
    )
    for column in ("who", "asked", "due"):
        op.create_index(f"ix_deletion_{column}", "deletion", [column])
    op.create_table(
        "erased",
        sa.Column("value", sa.LargeBinary(17), nullable=False),
        sa.Column("number", sa.String(13), nullable=False),
        _time("before"),
        sa.PrimaryKeyConstraint("value", "number", name="pk_erased"),
    )
    op.create_index("ix_erased_number", "erased", ["number"])


def downgrade() -> None:
    for name in ("erased", "deletion"):
        op.drop_table(name)
