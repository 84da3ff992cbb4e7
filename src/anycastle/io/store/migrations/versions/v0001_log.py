"""The log, the documents, the fleet folders, and who led."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_SQLITE_GUARD: Final = [
    f"CREATE TRIGGER event_is_not_{what}d BEFORE {verb} ON event BEGIN"
    " SELECT RAISE(ABORT, 'the event log is append-only'); END"
    for what, verb in (("change", "UPDATE"), ("remove", "DELETE"))
]
_POSTGRESQL_GUARD: Final = (
    """
    CREATE FUNCTION event_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the event log is append-only'; END $$
    """,
    """
    CREATE TRIGGER event_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_log_is_append_only()
    """,
)


def upgrade() -> None:
    """Make the tables of the log."""
    op.create_table(
        "leadership",
        sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
    )
    op.create_table(
        "document", sa.Column("key", sa.Text, primary_key=True), sa.Column("octets", sa.LargeBinary, nullable=False)
    )
    head = op.create_table(
        "head",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("one = 1", name="head_is_one"),
    )
    op.bulk_insert(head, [{"one": 1, "sequence": 0, "hash": bytes(32)}])
    _events()
    _folders()
    op.create_table(
        "once",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    op.create_index("once_by_expiry", "once", ["expires"])


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("pop", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("service", sa.Text),
    )
    for column in ("service", "kind", "pop"):
        op.create_index(f"event_by_{column}", "event", [column, "sequence"])
    for statement in _SQLITE_GUARD if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARD:
        op.execute(statement)


def _folders() -> None:
    op.create_table(
        "folder",
        sa.Column("revision", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("octets", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "folder_file",
        sa.Column("revision", sa.Text, sa.ForeignKey("folder.revision", ondelete="CASCADE"), primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Remove them, and all that they hold."""
    for name in ("once", "folder_file", "folder", "event", "head", "document", "leadership"):
        op.drop_table(name)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION event_log_is_append_only()")
