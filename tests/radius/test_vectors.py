"""Datagrams from the RFCs and of our own making: hex in, attributes or a DropReason out (`vectors/*.txt`)."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from radius import Code, DecodeError, Packet
from radius.signatures import prepared, reveal_password, verify_message, verify_reply


@dataclass
class Vector:
    fields: dict[str, str] = field(default_factory=dict)
    octets: bytes = b""
    attributes: list[tuple[str, str]] = field(default_factory=list)


def read_vectors() -> list[Vector]:
    vectors: list[Vector] = []
    for path in sorted(Path(__file__).with_name("vectors").glob("*.txt")):
        for line in path.read_text().splitlines():
            key, _, value = line.strip().partition(" ")
            value = value.strip()
            match key:
                case "name":
                    vectors.append(Vector({"name": value}))
                case "in":
                    vectors[-1].octets += bytes.fromhex(value)
                case "is":
                    name, _, shown = value.partition(" ")
                    vectors[-1].attributes.append((name, shown))
                case "" | "#":
                    continue
                case _:
                    vectors[-1].fields[key] = value
    return vectors


VECTORS = [pytest.param(vector, id=vector.fields["name"]) for vector in read_vectors()]


@pytest.mark.parametrize("vector", VECTORS)
def test_vector(vector: Vector) -> None:
    if "drop" in vector.fields:
        with pytest.raises(DecodeError) as caught:
            Packet.parse(vector.octets)
        assert caught.value.reason == vector.fields["drop"]
        return
    packet = Packet.parse(vector.octets)
    word, identifier = vector.fields["out"].rsplit(" ", 1)
    assert packet.code == Code[word.upper().replace("-", "_")]
    assert packet.identifier == int(identifier)
    assert [pair for pair in packet.attributes if pair[0] != "Message-Authenticator"] == vector.attributes
    check_secret(vector, packet)


def check_secret(vector: Vector, packet: Packet) -> None:
    secret = prepared(vector.fields.get("secret", "unused").encode())
    if "request" in vector.fields:
        assert verify_reply(secret, packet.raw, bytes.fromhex(vector.fields["request"]))
    if "signed" in vector.fields:
        assert verify_message(secret, packet.raw, packet.signature_at)
    if "password" in vector.fields:
        hidden = packet.attributes.octets("User-Password") or b""
        assert reveal_password(secret, packet.authenticator, hidden) == vector.fields["password"].encode()
