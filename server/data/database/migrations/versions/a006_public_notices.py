"""Add public notices, and the monthly counts of moderation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a006"
down_revision = "a005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "law_notice",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("about", sa.LargeBinary(1300)),
        sa.Column("text", sa.LargeBinary(8100), nullable=False),
        sa.Column("contact", sa.LargeBinary(1100)),
        sa.Column("receipt", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("answer", sa.LargeBinary(4100)),
        sa.Column("closed", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_law_notice"),
    )
    op.create_index("ix_law_notice_state", "law_notice", ["state", "at"])
    op.create_index("ix_law_notice_closed", "law_notice", ["closed"])
    op.create_table(
        "month_figure",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("name", sa.String(48), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("month", "name", name="pk_month_figure"),
    )


def downgrade() -> None:
    for name in ("month_figure", "law_notice"):
        op.drop_table(name)
