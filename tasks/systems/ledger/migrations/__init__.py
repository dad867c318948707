"""The ledger's Alembic migrations: one history for SQLite and PostgreSQL."""
