"""Add the table of the mails about data: one answer a day and address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a019"
down_revision = "a018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "request_mail",
        sa.Column("address", sa.LargeBinary(16), nullable=False),
        sa.Column("message", sa.LargeBinary(16), nullable=False),
        sa.Column("request", sa.String(13)),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.BigInteger),
        sa.PrimaryKeyConstraint("address", name="pk_request_mail"),
    )
    op.create_index("ix_request_mail_at", "request_mail", ["at"])


def downgrade() -> None:
    op.drop_table("request_mail")
