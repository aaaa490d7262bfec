"""Add the disclosure ledger, whose lines the database itself keeps from being changed or deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a018"
down_revision = "a017"
branch_labels = None
depends_on = None

SAID = "the disclosure ledger is append-only"
# SQLite runs no DELETE trigger for a row that INSERT OR REPLACE removes, so a number that is not the next one is refused.
SQLITE = (
    *(
        f"CREATE TRIGGER disclosure_no_{verb.lower()} BEFORE {verb} ON disclosure BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "CREATE TRIGGER disclosure_next BEFORE INSERT ON disclosure"  # noqa: S608 - constants
    " WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM disclosure)"
    f" BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
)
POSTGRESQL = (
    f"CREATE FUNCTION disclosure_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{SAID}'; END $$",
    "CREATE TRIGGER disclosure_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON disclosure"
    " FOR EACH STATEMENT EXECUTE FUNCTION disclosure_refuse()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON disclosure FROM CURRENT_USER",
)


def _lines() -> None:
    op.create_table(
        "disclosure",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("prev", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.String(8), nullable=False),
        sa.Column("intent", sa.BigInteger),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("recipient", sa.String(120), nullable=False),
        sa.Column("basis", sa.String(40), nullable=False),
        sa.Column("categories", sa.String(40), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("who", sa.LargeBinary(32)),
        sa.Column("request", sa.String(13)),
        sa.Column("law_order", sa.String(13)),
        sa.Column("reveal_after", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_disclosure"),
    )
    op.create_index("ix_disclosure_intent", "disclosure", ["intent"])
    op.create_index("ix_disclosure_at", "disclosure", ["at"])


def _subjects() -> None:
    op.create_table(
        "disclosure_subject",
        sa.Column("line", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("who", sa.LargeBinary(17), nullable=False),
        sa.PrimaryKeyConstraint("line", name="pk_disclosure_subject"),
    )
    op.create_index("ix_disclosure_subject_who", "disclosure_subject", ["who"])
    op.create_index("ix_disclosure_subject_since", "disclosure_subject", ["since"])


def upgrade() -> None:
    """Add two tables, and the triggers."""
    _lines()
    _subjects()
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    for name in ("disclosure_subject", "disclosure"):
        op.drop_table(name)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION disclosure_refuse()")
