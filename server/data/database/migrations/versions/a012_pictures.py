"""Add pictures as evidence: whether one shows the subject's camera; since when a case contains apparent abuse material."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a012"
down_revision = "a011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns, empty for existing rows."""
    op.add_column("evidence", sa.Column("subject", sa.Boolean))
    op.add_column("case", sa.Column("child", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("case", "child")
    op.drop_column("evidence", "subject")
