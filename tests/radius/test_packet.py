import pytest

from radius import Attributes, Code, DecodeError, DropReason, EncodeError, Packet


def make_packet(body: bytes, length: int | None = None) -> bytes:
    length = 20 + len(body) if length is None else length
    return bytes((1, 0)) + length.to_bytes(2) + bytes(16) + body


def test_a1_03_packet_of_4096_octets_is_read() -> None:
    body = (b"\x01\xfd" + b"x" * 251) * 16 + b"\x01\x1c" + b"y" * 26
    assert len(make_packet(body)) == 4096
    assert len(Packet.parse(make_packet(body)).attributes) == 17


def test_a1_03_packet_of_4097_octets_is_dropped() -> None:
    body = (b"\x01\xfd" + b"x" * 251) * 16 + b"\x01\x1d" + b"y" * 27
    with pytest.raises(DecodeError) as caught:
        Packet.parse(make_packet(body))
    assert caught.value.reason is DropReason.BAD_LENGTH


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        pytest.param(b"\x01\x03a" * 200, True, id="200 attributes"),
        pytest.param(b"\x01\x03a" * 201, False, id="201 attributes"),
        pytest.param(b"\x01\x02" * 201, False, id="201 empty attributes"),
    ],
)
def test_a1_12_attributes_are_bounded_in_number(body: bytes, taken: bool) -> None:
    if taken:
        assert len(Packet.parse(make_packet(body)).attributes) == 200
        return
    with pytest.raises(DecodeError) as caught:
        Packet.parse(make_packet(body))
    assert caught.value.reason is DropReason.TOO_MANY_ATTRIBUTES


def test_bound_on_attributes_can_be_set() -> None:
    with pytest.raises(DecodeError):
        Packet.parse(make_packet(b"\x01\x03a" * 3), max_attributes=2)


def test_a2_06_place_of_the_signature_is_found_anywhere() -> None:
    signature = b"\x50\x12" + b"s" * 16
    packet = Packet.parse(make_packet(b"\x01\x03a\x01\x02" + signature + b"\x02\x03b"))
    assert packet.raw[packet.signature_at : packet.signature_at + 16] == b"s" * 16


def test_repeated_numbers_are_noted() -> None:
    assert Packet.parse(make_packet(b"\x01\x03a\x02\x03b\x01\x03c")).repeated == {1}


def test_padding_is_not_in_raw() -> None:
    whole = make_packet(b"\x01\x03a")
    assert Packet.parse(whole + b"padding").raw == whole


def test_packet_is_built_from_its_fields() -> None:
    packet = Packet(Code.ACCESS_ACCEPT, 7, b"a" * 16, Attributes([("User-Name", "x")]))
    assert packet.to_bytes() == b"\x02\x07\x00\x17" + b"a" * 16 + b"\x01\x03x"


def test_a4_11_packet_beyond_4096_octets_is_not_built() -> None:
    attributes = Attributes([("Class", b"x" * 253)] * 15)
    assert len(Packet(2, 0, bytes(16), attributes).to_bytes()) == 20 + 15 * 255
    with pytest.raises(EncodeError):
        Packet(2, 0, bytes(16), attributes.add("Class", b"x" * 253)).to_bytes()
