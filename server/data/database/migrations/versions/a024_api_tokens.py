"""Add the table of the moderation API's tokens, and an index by which new cases are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a024"
down_revision = "a023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and two indexes."""
    op.create_table(
        "api_token",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("scopes", sa.String(40), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
    )
    op.create_index("ix_api_token_operator", "api_token", ["operator"])
    op.create_index("ix_case_opened", "case", ["opened"])


def downgrade() -> None:
    op.drop_index("ix_case_opened", "case")
    op.drop_table("api_token")
