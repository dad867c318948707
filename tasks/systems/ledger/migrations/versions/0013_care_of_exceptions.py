"""Who has an exception, until when it rests, and that it is left as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "exception_care",
        sa.Column("exception_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ignored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ignored_pence", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("exception_id", name="pk_exception_care"),
        sa.ForeignKeyConstraint(["exception_id"], ["exceptions.id"], name="fk_exception_care_exception_id_exceptions"),
    )
