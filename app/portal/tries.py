"""What a wrong code or password counts against: the device, where it comes from, and the whole spot."""

from ipaddress import ip_address
from typing import Final

from app.services.spots import Spot

TRIES: Final = 10  # wrong codes or passwords in ten minutes: of a device, an address, a user name
_TRIES_OF_NAS: Final = 100  # of a whole spot, whose thirty phones may share one address and mistype honestly


def limits_at(spot: Spot, mac: str, source: str, inside: str | None = None) -> list[tuple[str, int]]:
    """Return what a try of a phone at a spot counts against.

    Behind a router that translates addresses all phones of a spot come from the router's own: then the phone's
    address `inside`, as the router tells it, stands for it, and where that is not known the device alone.
    """
    limits = [(f"mac {mac}", TRIES), (f"nas {spot.nas.id}", _TRIES_OF_NAS)]
    address = inside if _is_of_nas(source, spot) else source
    return limits if address is None else [*limits, (f"address {spot.nas.id} {address}", TRIES)]


def _is_of_nas(source: str, spot: Spot) -> bool:
    try:
        return ip_address(source) in spot.nas.address
    except ValueError:
        return False
