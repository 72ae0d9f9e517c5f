"""The classes of service that share a line; a plan names one, an uplink promises something to each."""

from enum import StrEnum


class ServiceClass(StrEnum):
    """Whom the line serves first when it is full, in this order."""

    OFFICE = "office"
    PUBLIC_SERVICE = "public_service"
    RESIDENT = "resident"
    GUEST = "guest"
