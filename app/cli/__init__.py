"""The command `pesisir`: one module per noun. Heavy imports stand inside the commands, so that it starts quickly."""

from app.cli.root import build


def main() -> None:
    """Run the command line of this process."""
    build()()
