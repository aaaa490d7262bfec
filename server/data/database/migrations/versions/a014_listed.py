"""Which entry of a list of known abuse material a picture of a case is like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a014"
down_revision = "a013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column, empty for what is there."""
    op.add_column("evidence", sa.Column("listed", sa.String(128)))


def downgrade() -> None:
    op.drop_column("evidence", "listed")
