"""Use cases: one function, one transaction each. They fetch with `db`, decide with `domain`, and store."""
