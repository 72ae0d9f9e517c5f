"""A RADIUS node: its snapshot (in) says what it must know to decide, its journal (out) keeps what it did."""
