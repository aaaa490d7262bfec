"""Pictures as evidence: whose camera one shows. Cases of apparent abuse material: since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a012"
down_revision = "a011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns, empty for what is there."""
    op.add_column("evidence", sa.Column("subject", sa.Boolean))
    op.add_column("case", sa.Column("child", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("case", "child")
    op.drop_column("evidence", "subject")
