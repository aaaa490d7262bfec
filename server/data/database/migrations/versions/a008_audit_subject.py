"""The trail names whom it is about by a keyed value alone: what stood there before was a saved log's own id, by which rows join."""

from __future__ import annotations

from alembic import op

revision = "a008"
down_revision = "a007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An id has 16 bytes, a keyed value 17."""
    op.execute("UPDATE audit SET subject = NULL WHERE length(subject) = 16")
