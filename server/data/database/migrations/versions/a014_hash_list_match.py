"""Add the entry of a list of known abuse material that a picture resembles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a014"
down_revision = "a013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty for existing rows."""
    op.add_column("evidence", sa.Column("listed", sa.String(128)))


def downgrade() -> None:
    op.drop_column("evidence", "listed")
