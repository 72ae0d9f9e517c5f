"""Attribute names, numbers and types, read once at import from `dictionaries/`; the only module that imports pyrad.

Only the parser is pyrad's: what it reads becomes frozen tables of our own, by name and by number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Final

from pyrad.dictionary import Dictionary

VENDOR_SPECIFIC: Final = 26


class Kind(StrEnum):
    """The data types of RFC 8044 that our attributes use."""

    TEXT = "text"
    OCTETS = "octets"
    INTEGER = "integer"
    TIME = "time"
    IPV4 = "ipv4addr"
    IPV6 = "ipv6addr"
    IPV6_PREFIX = "ipv6prefix"
    INTERFACE_ID = "ifid"


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute. `vendor` is its private enterprise number, 0 for the standard space.

    `key` is one number for both: vendor * 256 + number. `vendor_header` is what stands before the length octet inside
    Vendor-Specific, empty in the standard space. `values` are its named integers.
    """

    name: str
    vendor: int
    number: int
    kind: Kind
    tagged: bool
    secret: bool
    key: int
    vendor_header: bytes
    values: Mapping[str, int] = field(hash=False)


# What no log or page may show (State and Class-like proofs of ours that come back in requests among them).
_SECRET = frozenset(
    {
        "User-Password",
        "CHAP-Password",
        "ARAP-Password",
        "State",
        "EAP-Message",
        "MS-CHAP-Response",
        "MS-CHAP2-Response",
        "MS-CHAP2-Success",
        "MS-MPPE-Send-Key",
        "MS-MPPE-Recv-Key",
    }
)

_KINDS = {
    "string": Kind.TEXT,
    "octets": Kind.OCTETS,
    "integer": Kind.INTEGER,
    "date": Kind.TIME,
    "ipaddr": Kind.IPV4,
    "ipv6addr": Kind.IPV6,
    "ipv6prefix": Kind.IPV6_PREFIX,
    "ifid": Kind.INTERFACE_ID,
}


def _read() -> dict[str, Definition]:
    parsed = Dictionary()
    folder = files("radius").joinpath("dictionaries")
    for source in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if source.name.startswith("dictionary."):
            with source.open(encoding="utf-8") as text:
                parsed.ReadDictionary(text)
    definitions = {}
    for name, attribute in parsed.attributes.items():
        vendor = parsed.vendors.GetForward(attribute.vendor)
        definitions[name] = Definition(
            name=name,
            vendor=vendor,
            number=attribute.code,
            kind=_KINDS[attribute.type],
            tagged=attribute.has_tag,
            secret=name in _SECRET,
            key=vendor * 256 + attribute.code,
            vendor_header=vendor.to_bytes(4) + bytes((attribute.code,)) if vendor else b"",
            values={word: int.from_bytes(raw) for word, raw in attribute.values.forward.items()},
        )
    return definitions


BY_NAME: Final[Mapping[str, Definition]] = _read()
BY_KEY: Final[Mapping[int, Definition]] = {definition.key: definition for definition in BY_NAME.values()}
