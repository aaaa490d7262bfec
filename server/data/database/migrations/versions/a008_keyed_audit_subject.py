"""Change the subject of audit lines to a keyed value, because a saved log's own id, which was stored before, can be joined with other rows."""

from __future__ import annotations

from alembic import op

revision = "a008"
down_revision = "a007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An id has 16 bytes, a keyed value 17."""
    op.execute("UPDATE audit SET subject = NULL WHERE length(subject) = 16")
