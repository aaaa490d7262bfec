"""Add the table of incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a021"
down_revision = "a020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and its index."""
    op.create_table(
        "incident",
        sa.Column("number", sa.String(13), nullable=False),
        sa.Column("aware", sa.BigInteger, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("notified", sa.BigInteger),
        sa.Column("closed", sa.BigInteger),
        sa.Column("authority", sa.String(120), nullable=False),
        sa.Column("categories", sa.String(40), nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("words", sa.String(2000), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_incident"),
    )
    op.create_index("ix_incident_closed", "incident", ["closed"])


def downgrade() -> None:
    op.drop_table("incident")
