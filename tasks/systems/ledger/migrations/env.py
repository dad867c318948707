"""What Alembic runs: the caller's connection, in the caller's transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from tasks.systems.ledger.models import metadata


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write a column type of ours as the database's own: a migration must not change when the program does."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
