"""`python -m app.main radius 0 [--status]`, `worker`, `http`: what the supervisor starts."""

import os
import sys

from app.config import load
from app.main.one import exit_code_for_supervisor, run_one


def main(arguments: list[str]) -> int:
    """Run the process that the arguments name."""
    process, *rest = arguments
    worker = int(rest[0]) if rest and rest[0].isdigit() else 0
    return exit_code_for_supervisor(run_one(load(os.environ), process, worker=worker, status="--status" in rest))


sys.exit(main(sys.argv[1:]))
