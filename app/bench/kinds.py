"""What can be sent, and how."""

from enum import StrEnum


class Kind(StrEnum):
    """What is sent."""

    AUTH = "auth"
    ACCT = "acct"
    MIXED = "mixed"
    STORM = "storm"


class Method(StrEnum):
    """How the password is sent."""

    PAP = "pap"
    CHAP = "chap"
