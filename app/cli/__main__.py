"""`python -m app.cli` is the command `pesisir`."""

from app.cli import main

main()
