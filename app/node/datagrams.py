"""What a person may see of a datagram: who and which device, never a proof. No I/O here.

A ticket's name shows its account alone: whoever reads a log or a trace has no use for the rest.
"""

from typing import Final

from app.domain.devices import parse_station_id
from app.domain.tickets import read_name
from radius.attributes import Attributes
from radius.errors import DecodeError
from radius.net.events import Event
from radius.packet import Packet

_LONGEST_NAME: Final = 64  # characters; a router's users have shorter ones


def place(source: tuple[str, int]) -> str:
    """Return an address and port in one word, as `192.0.2.7:40000` or `[2001:db8::7]:40000`."""
    host, port = source
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def packet_of(event: Event) -> Packet | DecodeError:
    """Return the datagram taken apart, or what is wrong with it."""
    try:
        return Packet.parse(event.datagram)
    except DecodeError as error:
        return error


def attributes_of(event: Event) -> Attributes | None:
    """Return what the datagram says; None where it is no packet."""
    if event.request is not None:
        return event.request.attributes
    packet = packet_of(event)
    return packet.attributes if isinstance(packet, Packet) else None


def user_of(attributes: Attributes) -> str:
    """Return the User-Name as people may see it; "" where there is none."""
    name = attributes.text("User-Name")
    return "" if name is None else shown_name(name)


def shown_name(name: str) -> str:
    """Return a user name cut to a length, a ticket's to its account."""
    ticket = read_name(name)
    if ticket is not None:
        return f"{ticket.account_id}~***"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def device_of(attributes: Attributes) -> str:
    """Return the device's MAC, or what the router calls it; "" where it names none."""
    station = attributes.text("Calling-Station-Id") or ""
    return parse_station_id(station) or station[:_LONGEST_NAME]
