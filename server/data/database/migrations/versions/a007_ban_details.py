"""Add details of bans: the author, the kind, the text for the user. Also add the order of a queue, and the look-up of bans by the banned person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a007"
down_revision = "a006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("due", sa.BigInteger, nullable=False, server_default="0"))
    op.execute('UPDATE "case" SET due = opened - 600 * priority')
    op.execute("UPDATE \"case\" SET state = 'open' WHERE state = 'claimed'")
    op.drop_index("ix_case_state", table_name="case")
    op.create_index("ix_case_state", "case", ["state", "queue", "due"])
    op.add_column("ban", sa.Column("measure", sa.String(8), nullable=False, server_default="ban"))
    op.add_column("ban", sa.Column("decided_by", sa.String(64)))
    op.add_column("ban", sa.Column("words", sa.LargeBinary(1400)))
    op.execute('UPDATE ban SET decided_by = (SELECT decided_by FROM "case" WHERE "case".id = ban."case")')
    op.create_index("ix_ban_mac", "ban", ["mac"])
    op.add_column("notice", sa.Column("decided_by", sa.String(64)))
    op.add_column("notice", sa.Column("words", sa.LargeBinary(1400)))


def downgrade() -> None:
    for name in ("words", "decided_by"):
        op.drop_column("notice", name)
    op.drop_index("ix_ban_mac", table_name="ban")
    for name in ("words", "decided_by", "measure"):
        op.drop_column("ban", name)
    op.drop_index("ix_case_state", table_name="case")
    op.create_index("ix_case_state", "case", ["state", "queue"])
    op.drop_column("case", "due")
