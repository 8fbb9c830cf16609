"""Django's PostgreSQL backend, which also works behind a pooler in transaction mode (PgBouncer)."""
