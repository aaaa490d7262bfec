"""Add a mark for appeals of users who are refused only because of their network."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a015"
down_revision = "a014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, false for existing rows."""
    op.add_column("appeal", sa.Column("network", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Appeals of networks go with it: without the column they would be the person's."""
    op.execute("DELETE FROM appeal WHERE network")
    op.drop_column("appeal", "network")
