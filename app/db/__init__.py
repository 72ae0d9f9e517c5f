"""The only SQL: one module per noun; functions take a connection, never commit, and return domain values."""
