"""Add the table of legal orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a020"
down_revision = "a019"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, size: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=False)


def upgrade() -> None:
    """Add a table and its indexes."""
    op.create_table(
        "law_order",
        _text("number", 13),
        _text("kind", 16),
        _text("authority", 120),
        _text("country", 2),
        _time("received", nullable=False),
        _time("due", nullable=False),
        _time("gag_until"),
        _text("asked", 40),
        _time("since"),
        _time("until"),
        sa.Column("selector", sa.LargeBinary(160), nullable=False),
        sa.Column("paper", sa.LargeBinary(8200), nullable=False),
        _text("age_key", 120),
        sa.Column("hold", sa.Integer),
        _text("state", 8),
        _time("decided"),
        _text("why", 500),
        _time("ends"),
        sa.PrimaryKeyConstraint("number", name="pk_law_order"),
    )
    op.create_index("ix_law_order_state", "law_order", ["state", "due"])
    op.create_index("ix_law_order_ends", "law_order", ["ends"])


def downgrade() -> None:
    op.drop_table("law_order")
