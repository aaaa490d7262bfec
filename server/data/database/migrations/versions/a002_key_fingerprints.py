"""Add check values of the keys, so that lost or foreign keys are noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a002"
down_revision = "a001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "fingerprint",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("value", sa.LargeBinary(17), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fingerprint"),
    )
