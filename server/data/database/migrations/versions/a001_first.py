"""Create the first schema: chats, parties, saved logs, holds, audit log, and twins of the tables of chats and parties for rows under a hold."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "a001"
down_revision = None
branch_labels = None
depends_on = None


def _chat(name: str, **options: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_with_rowid=False,
        **options,
    )


def _party(name: str, **options: Any) -> None:
    op.create_table(
        name,
        sa.Column("chat", sa.LargeBinary(16), nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("identity", sa.LargeBinary(17)),
        sa.Column("address", sa.LargeBinary(80)),
        sa.Column("address_mac", sa.LargeBinary(17)),
        sa.Column("country", sa.String(2)),
        sa.PrimaryKeyConstraint("chat", "side", name=f"pk_{name}"),
        sqlite_with_rowid=False,
        **options,
    )
    op.create_index(f"ix_{name}_identity", name, ["identity"])


def upgrade() -> None:
    _chat("chat", postgresql_partition_by="RANGE (id)")
    _party("party", postgresql_partition_by="RANGE (chat)")
    op.create_index("ix_party_address_mac", "party", ["address_mac"])
    _chat("held_chat")
    _party("held_party")
    op.create_table(
        "log",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("url_hash", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("delete_hash", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("object_key", sa.LargeBinary(80), nullable=False),
        sa.Column("saved", sa.BigInteger, nullable=False),
        sa.Column("hidden", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_log"),
    )
    op.create_table(
        "log_party",
        sa.Column("log", sa.LargeBinary(16), nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("identity", sa.LargeBinary(17)),
        sa.Column("address", sa.LargeBinary(80)),
        sa.Column("address_mac", sa.LargeBinary(17)),
        sa.PrimaryKeyConstraint("log", "side", name="pk_log_party"),
    )
    op.create_index("ix_log_party_identity", "log_party", ["identity"])
    op.create_index("ix_log_party_address_mac", "log_party", ["address_mac"])
    op.create_table(
        "doomed",
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("erasure", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("object", name="pk_doomed"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("selector", sa.LargeBinary(160), nullable=False),
        sa.Column("authority", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("placed", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("released", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_table(
        "hold_match",
        sa.Column("hold", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("value", sa.LargeBinary(17), nullable=False),
        sa.PrimaryKeyConstraint("hold", "value", name="pk_hold_match"),
    )
    op.create_index("ix_hold_match_value", "hold_match", ["value"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.LargeBinary(17)),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_time", "audit", ["time"])
    op.create_index("ix_audit_subject", "audit", ["subject"])


def downgrade() -> None:
    for name in (
        "audit",
        "hold_match",
        "hold",
        "doomed",
        "log_party",
        "log",
        "held_party",
        "held_chat",
        "party",
        "chat",
    ):
        op.drop_table(name)
