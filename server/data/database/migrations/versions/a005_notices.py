"""Add notices: warnings that a user reads before the next search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a005"
down_revision = "a004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("mac", sa.LargeBinary(17)),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("rule", sa.String(4), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(8), nullable=False),
        sa.Column("case", sa.LargeBinary(16), nullable=False),
        sa.Column("appeal", sa.LargeBinary(16), nullable=False),
        sa.Column("seen", sa.BigInteger),
        sa.Column("lifted", sa.BigInteger),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    for column in ("case", "appeal", "changed", "since"):
        op.create_index(f"ix_notice_{column}", "notice", [column])


def downgrade() -> None:
    op.drop_table("notice")
