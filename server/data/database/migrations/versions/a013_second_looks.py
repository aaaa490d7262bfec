"""Add second reviews: the decided cases that wait for another operator, and that operator's decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a013"
down_revision = "a012"
branch_labels = None
depends_on = None

COLUMNS = (
    ("second_asked", sa.BigInteger),
    ("second_by", sa.String(64)),
    ("second_measure", sa.String(8)),
    ("second_rule", sa.String(4)),
    ("second_at", sa.BigInteger),
)


def upgrade() -> None:
    """Add five columns, empty for existing rows: earlier decisions are not drawn."""
    for name, kind in COLUMNS:
        op.add_column("case", sa.Column(name, kind))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("case", name)
