"""Add comments on cases, saved answers, and the columns to pass cases on, decide them together, and list them with a few words of their text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a017"
down_revision = "a016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables, and columns that are empty for existing rows."""
    op.create_table(
        "case_comment",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("case", sa.LargeBinary(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("passed_to", sa.String(40)),
        sa.Column("text", sa.LargeBinary(2200)),
        sa.PrimaryKeyConstraint("id", name="pk_case_comment"),
    )
    op.create_index("ix_case_comment_case", "case_comment", ["case", "at"])
    op.create_index("ix_case_comment_at", "case_comment", ["at"])
    op.create_table(
        "answer_template",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("title", sa.String(60), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_template"),
    )
    op.create_index("ix_answer_template_operator", "answer_template", ["operator"])
    op.add_column("case", sa.Column("passed_to", sa.String(40)))
    op.add_column("case", sa.Column("batch", sa.LargeBinary(16)))
    op.create_index("ix_case_decided_by", "case", ["decided_by", "closed"])
    op.add_column("evidence", sa.Column("excerpt", sa.LargeBinary(2600)))


def downgrade() -> None:
    op.drop_column("evidence", "excerpt")
    op.drop_index("ix_case_decided_by", "case")
    for name in ("batch", "passed_to"):
        op.drop_column("case", name)
    for name in ("answer_template", "case_comment"):
        op.drop_table(name)
