"""The processes `radius`, `http`, `worker`, and the supervisor that keeps them running; only here all is seen."""

from app.main.ends import StartError
from app.main.supervisor import supervise

__all__ = ["StartError", "supervise"]
