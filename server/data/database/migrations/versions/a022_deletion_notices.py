"""Replace the table of passed-on requests, which nothing wrote, by the table of notices of deletions to recipients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a022"
down_revision = "a021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop a table and add another."""
    op.drop_table("request_step")
    op.create_table(
        "deletion_notice",
        sa.Column("number", sa.String(13), nullable=False),
        sa.Column("recipient", sa.String(200), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("next", sa.BigInteger),
        sa.Column("line", sa.BigInteger),
        sa.Column("known", sa.LargeBinary(65_000)),
        sa.PrimaryKeyConstraint("number", "recipient", name="pk_deletion_notice"),
    )
    op.create_index("ix_deletion_notice_next", "deletion_notice", ["next"])
    op.create_index("ix_deletion_notice_at", "deletion_notice", ["at"])


def downgrade() -> None:
    op.drop_table("deletion_notice")
    op.create_table(
        "request_step",
        sa.Column("request", sa.String(13), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("how", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("request", "recipient", name="pk_request_step"),
    )
    op.create_index("ix_request_step_at", "request_step", ["at"])
