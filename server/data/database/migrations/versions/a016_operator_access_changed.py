"""Record when an operator's passkey or roles last changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a016"
down_revision = "a015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty for existing operators."""
    op.add_column("operator", sa.Column("changed", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("operator", "changed")
