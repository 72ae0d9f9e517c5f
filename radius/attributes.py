"""Attributes: an ordered, repeatable list of raw values, with typed reads and writes by name. No I/O here.

A value that does not fit its type is no value of that type: typed reads skip it, the raw octets stay
(RFC 6929 section 2.8). An empty value is none at all, except in EAP-Message and Chargeable-User-Identity.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, KeysView
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, Self, TypeVar

from radius.dictionary import BY_KEY, BY_NAME, VENDOR_SPECIFIC, Definition, Kind
from radius.errors import EncodeError
from radius.values import (
    Value,
    as_integer,
    as_ipv4,
    as_ipv6,
    as_mac,
    as_octets,
    as_prefix,
    as_tagged_integer,
    as_tagged_text,
    as_text,
    as_time,
    encode,
    shown,
)

MAY_BE_EMPTY: Final = frozenset({79, 89})  # EAP-Start (RFC 3579 section 2.1), CUI asked for (RFC 4372 section 2.1)
_MAX_VALUE: Final = 253  # RFC 2865 section 5: the length octet counts the two of the header
_MAX_VENDOR_VALUE: Final = 247  # four octets of vendor and two of header less (section 5.26)

T = TypeVar("T")


class Attributes:
    """What a packet carries after its header. Built with `add`; read as if frozen once it is in a message.

    Reading an attribute that the dictionary does not know is a mistake of the caller: KeyError.
    """

    __slots__ = ("_first", "_items", "_more", "_wire")

    def __init__(self, pairs: Iterable[tuple[str, Value]] = ()) -> None:
        self._first: dict[int, bytes] = {}  # the first value of each number
        self._more: list[tuple[int, bytes]] = []  # the further ones, in order
        self._items: list[tuple[int, bytes]] | None = []  # all, in order; None until asked for
        self._wire = b""  # where `_items` come from when asked for
        for name, value in pairs:
            self.add(name, value)

    @classmethod
    def from_wire(cls, wire: bytes, first: dict[int, bytes], more: list[tuple[int, bytes]]) -> Self:
        """Wrap what the packet walk found in `wire`, which is well-formed: first values and further ones."""
        made = cls.__new__(cls)
        made._first = first  # noqa: SLF001  # its own class, past __init__ for speed
        made._more = more  # noqa: SLF001  # the same
        made._items = None  # noqa: SLF001  # the same
        made._wire = wire  # noqa: SLF001  # the same
        return made

    # Writing

    def add(self, name: str, value: Value) -> Self:
        """Append one attribute; an integer may be given by its name in the dictionary."""
        definition = BY_NAME.get(name)
        if definition is None:
            raise EncodeError(f"unknown attribute {name}")
        return self._add_encoded(definition, encode(definition, value))

    def add_raw(self, number: int, raw: bytes) -> Self:
        """Append one attribute of the standard space by its number, as it is."""
        if not 0 < number < 256 or len(raw) > _MAX_VALUE or (not raw and number not in MAY_BE_EMPTY):
            raise EncodeError(f"attribute {number}: {len(raw)} octets")
        items = self._items
        if items is None:
            items = self._all_items()
        items.append((number, raw))
        if number in self._first:
            self._more.append((number, raw))
        else:
            self._first[number] = raw
        return self

    def extend(self, other: "Attributes") -> Self:
        """Append all of another list."""
        for number, raw in list(other._all_items()):  # noqa: SLF001  # its own class
            self.add_raw(number, raw)
        return self

    def only(self, names: Collection[str]) -> "Attributes":
        """Return what has one of these names, as it came and in order; of a Vendor-Specific what is inside."""
        found = Attributes()
        for key, raw in self._flat():
            definition = BY_KEY.get(key)
            if definition is not None and definition.name in names:
                found._add_encoded(definition, raw)
        return found

    def _add_encoded(self, definition: Definition, raw: bytes) -> Self:
        """Append one attribute by its definition, its value as it travels."""
        if not definition.vendor:
            return self.add_raw(definition.number, raw)
        if not 0 < len(raw) <= _MAX_VENDOR_VALUE:
            raise EncodeError(f"{definition.name}: {len(raw)} octets")
        return self.add_raw(VENDOR_SPECIFIC, b"%b%c%b" % (definition.vendor_header, len(raw) + 2, raw))

    def to_bytes(self) -> bytes:
        """Return the list as it travels."""
        return b"".join([b"%c%c%b" % (number, len(raw) + 2, raw) for number, raw in self._all_items()])

    # Reading

    def numbers(self) -> KeysView[int]:
        """Return the numbers of the standard space that occur."""
        return self._first.keys()

    def first(self, number: int) -> bytes | None:
        """Return the first value of a standard attribute by its number, as it came."""
        return self._first.get(number)

    def standard_integer(self, number: int) -> int | None:
        """Return what `integer` does, of a standard attribute without tag by its number."""
        raw = self._first.get(number)
        if raw is None or len(raw) == 4:
            return None if raw is None else int.from_bytes(raw)
        return next((int.from_bytes(other) for other in self.every(number) if len(other) == 4), None)

    def every(self, number: int) -> list[bytes]:
        """Return all values of a standard attribute by its number, in order."""
        raw = self._first.get(number)
        if raw is None:
            return []
        return [raw, *(more for found, more in self._more if found == number)] if self._more else [raw]

    def octets(self, name: str) -> bytes | None:
        """Return the first value as it came."""
        definition = BY_NAME[name]
        if definition.vendor:
            return self._read(name, as_octets)
        return self._first.get(definition.number)

    def all_octets(self, name: str) -> list[bytes]:
        """Return all values as they came, in order."""
        return self._all(BY_NAME[name])

    def text(self, name: str) -> str | None:
        """Return the first value that is UTF-8."""
        definition = BY_NAME[name]
        return self._read(name, as_tagged_text if definition.tagged else as_text)

    def all_texts(self, name: str) -> list[str]:
        """Return all values that are UTF-8, in order."""
        return [text for raw in self._all(BY_NAME[name]) if (text := as_text(raw)) is not None]

    def integer(self, name: str) -> int | None:
        """Return the first value of four octets, unsigned; of a tagged attribute the three after the tag."""
        definition = BY_NAME[name]
        if not definition.vendor and not definition.tagged:
            return self.standard_integer(definition.number)
        return self._read(name, as_tagged_integer if definition.tagged else as_integer)

    def word(self, name: str) -> str | None:
        """Return the first integer by its name in the dictionary; None if absent or not named there."""
        value = self.integer(name)
        return next((word for word, number in BY_NAME[name].values.items() if number == value), None)

    def time(self, name: str) -> datetime | None:
        """Return the first moment: unsigned seconds since 1970, so valid until 2106 (RFC 8044 section 3.3)."""
        return self._read(name, as_time)

    def address(self, name: str) -> IPv4Address | IPv6Address | None:
        """Return the first address of the family that the attribute is defined for."""
        if BY_NAME[name].kind is Kind.IPV6:
            return self._read(name, as_ipv6)
        return self._read(name, as_ipv4)

    def prefix(self, name: str) -> IPv6Network | None:
        """Return the first IPv6 prefix; short forms are completed and host bits cleared (RFC 3162 section 2.3)."""
        return self._read(name, as_prefix)

    def mac(self, name: str) -> str | None:
        """Return the hardware address that the first text begins with, in our spelling; see `parse_mac`."""
        return self._read(name, as_mac)

    def __contains__(self, name: str) -> bool:
        """Tell whether the attribute is there, whatever its value."""
        return bool(self._all(BY_NAME[name]))

    def __len__(self) -> int:
        """Count what travels: a Vendor-Specific with several inside is one."""
        return len(self._all_items())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (name, value) for people, in order, secrets masked; without a name the number, `26.VENDOR.NUMBER`."""
        for key, raw in self._flat():
            definition = BY_KEY.get(key)
            yield (definition.name if definition else _number(key), shown(definition, raw))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Attributes):
            return NotImplemented
        return list(self._flat()) == list(other._flat())

    __hash__ = None  # type: ignore[assignment]  # it can grow

    def __repr__(self) -> str:
        return f"Attributes({list(self)!r})"

    def _read(self, name: str, decode: Callable[[bytes], T | None]) -> T | None:
        definition = BY_NAME[name]
        raw = self._first.get(VENDOR_SPECIFIC if definition.vendor else definition.number)
        if raw is None:
            return None
        if not definition.vendor:
            value = decode(raw)
            if value is not None:
                return value
        return next((value for raw in self._all(definition) if (value := decode(raw)) is not None), None)

    def _all(self, definition: Definition) -> list[bytes]:
        if not definition.vendor:
            return self.every(definition.number)
        header = definition.vendor_header[:4]
        return [
            raw
            for whole in self.every(VENDOR_SPECIFIC)
            if whole.startswith(header)
            for key, raw in _inside(whole)
            if key == definition.key
        ]

    def _flat(self) -> Iterator[tuple[int, bytes]]:
        """Yield (key, value) with what vendors put inside Vendor-Specific taken out."""
        for number, raw in self._all_items():
            if number == VENDOR_SPECIFIC:
                yield from _inside(raw)
            else:
                yield number, raw

    def _all_items(self) -> list[tuple[int, bytes]]:
        """Return all in order; of a parsed packet the walk is done again, and only when somebody asks for the order."""
        if self._items is None:
            self._items = []
            at = 0
            while at < len(self._wire):
                number, size = self._wire[at], self._wire[at + 1]
                if size > 2 or number in MAY_BE_EMPTY:
                    self._items.append((number, self._wire[at + 2 : at + size]))
                at += size
        return self._items


def _inside(raw: bytes) -> list[tuple[int, bytes]]:
    """Take a Vendor-Specific apart as RFC 2865 section 5.26 suggests; one of another shape stays whole."""
    vendor = int.from_bytes(raw[:4])
    found = []
    at = 4
    while at + 2 < len(raw):
        end = at + raw[at + 1]
        if end < at + 2 or end > len(raw):
            break
        if end > at + 2:
            found.append((vendor * 256 + raw[at], raw[at + 2 : end]))
        at = end
    return found if at == len(raw) and vendor and found else [(VENDOR_SPECIFIC, raw)]


def _number(key: int) -> str:
    vendor, number = divmod(key, 256)
    return f"{VENDOR_SPECIFIC}.{vendor}.{number}" if vendor else str(number)
