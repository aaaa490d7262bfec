"""Add the table of emergency reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a023"
down_revision = "a022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and its index."""
    op.create_table(
        "emergency_review",
        sa.Column("number", sa.String(13), nullable=False),
        sa.Column("subject", sa.LargeBinary(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("reviewed", sa.BigInteger),
        sa.Column("reviewed_by", sa.String(64)),
        sa.Column("verdict", sa.String(8)),
        sa.Column("finding", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_emergency_review"),
    )
    op.create_index("ix_emergency_review_at", "emergency_review", ["at"])


def downgrade() -> None:
    op.drop_table("emergency_review")
