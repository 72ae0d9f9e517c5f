"""What a RADIUS server is asked, right and wrong: the table that two servers are compared by.

Every case says what must come of it. Where FreeRADIUS 3.2.1 does otherwise, the case says what it does instead, and
which rule we follow, by the number that the other tests carry in their names as well (`test_a1_13_...`).
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from tests.lab.pair import Case, Outcome
from tests.lab.wire import (
    MICROSOFT,
    Part,
    accounting,
    attribute,
    chap,
    flipped,
    ms_chap,
    ms_chap_1,
    ms_chap_attributes,
    name,
    pap,
    request,
    signed,
    text,
    vendor,
    with_length,
)

ACCEPT, REJECT, RESPONSE, SILENCE = Outcome.ACCEPT, Outcome.REJECT, Outcome.RESPONSE, Outcome.SILENCE

TRUSTING: Final = "127.0.0.2"  # neither Message-Authenticator demanded nor Proxy-State limited
STRICT: Final = "127.0.0.3"  # Message-Authenticator demanded
LIMITING: Final = "127.0.0.4"  # Proxy-State only in signed requests
STRANGER: Final = "127.0.0.9"

PEOPLE: Final = {
    "siti": "rahasia-123",
    "budi": "1234567890123456",  # 16 octets: a whole block
    "rahma": "12345678901234567",  # and one more
    "made": "x" * 128,  # the most that User-Password carries
    "ayu": "kata sandi · panjang",
    "nur@bontang": "p",
    "Étienne": "été-2024",
}
SITI: Final = PEOPLE["siti"]
STATION: Final = text(31, "02-AA-00-00-00-01")
SESSION: Final = text(44, "lab-0001")
PPP: Final = attribute(7, bytes((0, 0, 0, 1)))
OTHER_SECRET: Final = b"another-secret-of-nobody"


def cases(seed: int = 2865) -> list[Case]:
    """Return the table; the same for the same seed."""
    chance = Random(seed)
    found: list[Case] = []
    for group in (
        _passwords, _wrong_passwords, _chap, _ms_chap, _mixed, _signatures, _demands, _headers, _attributes, _codes,
        _status, _proxy_states, _duplicates, _accounting,
    ):  # fmt: skip
        found += group(chance)
    names = [case.name for case in found]
    assert len(names) == len(set(names)), "two cases have one name"
    return found


def one(what: str, octets: bytes, ours: Outcome, *, address: str = TRUSTING, acct: bool = False) -> Case:
    """Make a case of one request."""
    return Case(what, (octets,), (ours,), address, acct)


def differs(
    what: str, octets: bytes, ours: Outcome, theirs: Outcome, why: str, *, address: str = TRUSTING, acct: bool = False
) -> Case:
    """Make a case of one request of which FreeRADIUS makes something else."""
    return Case(what, (octets,), (ours,), address, acct, (theirs,), why)


def _passwords(chance: Random) -> Iterator[Case]:
    for user, password in PEOPLE.items():
        for sign in (False, True):
            how = "signed" if sign else "unsigned"
            yield one(f"PAP of {user}, {how}", request(name(user), pap(password), chance=chance, sign=sign), ACCEPT)
    for user in ("siti", "made"):
        octets = request(name(user), pap(PEOPLE[user]), STATION, SESSION, chance=chance, sign=True)
        yield one(f"PAP of {user}, signed, from a router that demands it", octets, ACCEPT, address=STRICT)
    yield one("PAP, credential first", request(pap(SITI), name("siti"), chance=chance), ACCEPT)
    yield one("PAP, User-Name last of many", request(pap(SITI), STATION, SESSION, name("siti"), chance=chance), ACCEPT)
    padded = request(name("siti"), pap(SITI.encode() + bytes(32)), chance=chance)
    yield one("PAP, two blocks of padding more than needed", padded, ACCEPT)
    why = "[A3.11] a name is folded and trimmed once, in one place"
    for user in ("SITI", "Siti", " siti", "siti "):
        yield differs(f"PAP of {user!r}", request(name(user), pap(SITI), chance=chance), ACCEPT, REJECT, why)
    yield one(
        "PAP, State that nobody gave", request(name("siti"), pap(SITI), attribute(24, b"?" * 16), chance=chance), ACCEPT
    )


def _wrong_passwords(chance: Random) -> Iterator[Case]:
    wrong = {
        "another": "salah",
        "none": "",
        "a prefix": SITI[:-1],
        "one letter more": SITI + "4",
        "other case": SITI.upper(),
        "a space behind": SITI + " ",
        "a NUL inside": SITI[:4] + "\0" + SITI[4:],
        "127 octets": "y" * 127,
        "128 octets": "y" * 128,
    }
    for what, password in wrong.items():
        for sign in (False, True):
            octets = request(name("siti"), pap(password), chance=chance, sign=sign)
            yield one(f"PAP, password: {what}, {'signed' if sign else 'unsigned'}", octets, REJECT)
    noise = request(name("siti"), attribute(2, b"\xff" * 16), chance=chance)
    yield one("PAP, password that is no UTF-8", noise, REJECT)
    cut = request(name("siti\0"), pap(SITI), chance=chance, sign=True)
    yield differs(
        "PAP, name with a NUL", cut, REJECT, ACCEPT, "[A3.11] RFC 2865 section 5.1: a name does not end at a NUL"
    )
    for user in ("nobody", "si\nti", "x" * 253):
        octets = request(name(user), pap(SITI), chance=chance, sign=True)
        yield one(f"PAP, unknown name {user[:8]!r} of {len(user)}", octets, REJECT)
    not_text = request(attribute(1, b"\xff\xfe"), pap(SITI), chance=chance, sign=True)
    yield one("PAP, name that is no UTF-8", not_text, REJECT)
    yield one("PAP, no name", request(pap(SITI), chance=chance, sign=True), REJECT)
    yield one("PAP, empty name", request(attribute(1, b""), pap(SITI), chance=chance, sign=True), REJECT)
    octets = request(name("siti"), pap(SITI, secret=OTHER_SECRET), chance=chance, secret=OTHER_SECRET)
    yield one("PAP under another secret, unsigned", octets, REJECT)
    for length in (1, 8, 15, 17, 31, 144, 253):
        octets = request(name("siti"), attribute(2, chance.randbytes(length)), chance=chance, sign=True)
        yield one(f"PAP, User-Password of {length} octets", octets, REJECT)
    empty = request(name("siti"), attribute(2, b""), chance=chance, sign=True)
    yield one("PAP, User-Password of 0 octets", empty, REJECT)


def _chap(chance: Random) -> Iterator[Case]:
    for user in ("siti", "made", "ayu"):
        for sign in (False, True):
            part = chap(PEOPLE[user], challenge=chance.randbytes(16))
            octets = request(name(user), part, chance=chance, sign=sign)
            yield one(f"CHAP of {user}, {'signed' if sign else 'unsigned'}", octets, ACCEPT)
    for ident in (0, 128, 255):
        yield one(f"CHAP, ident {ident}", request(name("siti"), chap(SITI, ident=ident), chance=chance), ACCEPT)
    for length in (1, 5, 32, 253):
        part = chap(SITI, challenge=chance.randbytes(length))
        yield one(f"CHAP, challenge of {length}", request(name("siti"), part, chance=chance), ACCEPT)
    yield one("CHAP, wrong password", request(name("siti"), chap("salah"), chance=chance), REJECT)
    yield one("CHAP, empty password", request(name("siti"), chap(""), chance=chance), REJECT)
    right = request(name("siti"), chap(SITI), chance=chance)
    other = right[:4] + chance.randbytes(16) + right[20:]
    yield one("CHAP to the authenticator of another request", other, REJECT)
    for length in (1, 16, 18, 33):
        octets = request(name("siti"), attribute(3, chance.randbytes(length)), chance=chance, sign=True)
        yield one(f"CHAP-Password of {length} octets", octets, REJECT)


def _ms_chap(chance: Random) -> Iterator[Case]:
    old = request(name("siti"), ms_chap_1(SITI, chance=chance), chance=chance)
    yield differs("MS-CHAPv1", old, REJECT, ACCEPT, "[A3.03] version 1 proves nothing back and is not spoken")
    for user, password in PEOPLE.items():
        octets = request(name(user), ms_chap_attributes(*ms_chap(user, password, chance=chance)), chance=chance)
        yield one(f"MS-CHAPv2 of {user}", octets, ACCEPT)
    for ident in (0, 127, 255):
        pair = ms_chap("siti", SITI, ident=ident, chance=chance)
        octets = request(name("siti"), ms_chap_attributes(*pair), PPP, chance=chance, sign=True)
        yield one(f"MS-CHAPv2, ident {ident}, signed, for PPP", octets, ACCEPT)
    for user, password, what in (
        ("siti", "salah", "wrong password"),
        ("siti", "", "empty password"),
        ("siti", SITI.upper(), "other case"),
        ("nobody", SITI, "unknown name"),
    ):
        octets = request(name(user), ms_chap_attributes(*ms_chap(user, password, chance=chance)), chance=chance)
        yield one(f"MS-CHAPv2, {what}", octets, REJECT)

    def of_siti(spoil: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> bytes:
        spoilt = spoil(*ms_chap("siti", SITI, chance=chance))
        return request(name("siti"), ms_chap_attributes(*spoilt), chance=chance, sign=True)

    other_name = request(name("siti"), ms_chap_attributes(*ms_chap("budi", SITI, chance=chance)), chance=chance)
    yield one("MS-CHAPv2, another name hashed", other_name, REJECT)
    for at in (0, 15):
        yield one(f"MS-CHAPv2, challenge changed at {at}", of_siti(lambda c, r, at=at: (flipped(c, at), r)), REJECT)  # type: ignore[misc]  # a default binds `at` now
    for at in (2, 17, 26, 33, 42, 49):
        yield one(f"MS-CHAPv2, response changed at {at}", of_siti(lambda c, r, at=at: (c, flipped(r, at))), REJECT)  # type: ignore[misc]  # the same
    for length in (1, 2, 25, 26, 49):
        yield one(f"MS-CHAPv2, response of {length}", of_siti(lambda c, r, n=length: (c, r[:n])), REJECT)  # type: ignore[misc]  # the same
    size = "[A3.03] RFC 2548 section 2.3.2, RFC 2759 section 3: these fields have one size"
    yield differs("MS-CHAPv2, response of 51", of_siti(lambda c, r: (c, r + b"\0")), REJECT, ACCEPT, size)
    yield differs("MS-CHAPv2, challenge of 17", of_siti(lambda c, r: (c + b"\0", r)), REJECT, ACCEPT, size)
    for length in (1, 8, 15):
        yield one(f"MS-CHAPv2, challenge of {length}", of_siti(lambda c, r, n=length: (c[:n], r)), REJECT)  # type: ignore[misc]  # the same
    challenge, response = ms_chap("siti", SITI, chance=chance)
    alone = request(name("siti"), vendor(MICROSOFT, (25, response)), chance=chance, sign=True)
    yield one("MS-CHAPv2 without challenge", alone, REJECT)
    together = request(name("siti"), vendor(MICROSOFT, (11, challenge), (25, response)), chance=chance)
    yield one("MS-CHAPv2, both in one Vendor-Specific", together, ACCEPT)
    backwards = request(
        vendor(MICROSOFT, (25, response)), vendor(MICROSOFT, (11, challenge)), name("siti"), chance=chance
    )
    yield one("MS-CHAPv2, response before challenge", backwards, ACCEPT)
    zeros = "[A3.03] RFC 2548 section 2.3.2: MUST be zero; what is not cannot be checked"
    yield differs("MS-CHAPv2, Flags 1", of_siti(lambda c, r: (c, flipped(r, 1))), REJECT, ACCEPT, zeros)
    yield differs("MS-CHAPv2, Reserved 1", of_siti(lambda c, r: (c, flipped(r, 18))), REJECT, ACCEPT, zeros)
    yield differs("MS-CHAPv2, Reserved 1 at its end", of_siti(lambda c, r: (c, flipped(r, 25))), REJECT, ACCEPT, zeros)


def _mixed(chance: Random) -> Iterator[Case]:
    identity_of_siti = attribute(79, b"\x02\x07\x00\x09\x01siti")
    both = "[A1.13] RFC 2865 section 4.1: never both, so it is nobody's request"
    octets = request(name("siti"), pap(SITI), chap(SITI), chance=chance, sign=True)
    yield differs("PAP and CHAP, both right", octets, SILENCE, ACCEPT, both)
    octets = request(name("siti"), pap(SITI), chap("salah"), chance=chance, sign=True)
    yield differs("PAP right, CHAP wrong", octets, SILENCE, REJECT, both)
    microsoft = ms_chap_attributes(*ms_chap("siti", SITI, chance=chance))
    octets = request(name("siti"), identity_of_siti, microsoft, chance=chance, sign=True)
    yield differs("EAP and MS-CHAPv2, signed", octets, SILENCE, ACCEPT, both)
    octets = request(name("siti"), pap(SITI), microsoft, chance=chance, sign=True)
    yield differs("PAP and MS-CHAPv2, both right", octets, SILENCE, ACCEPT, both)
    octets = request(name("siti"), chap(SITI), microsoft, chance=chance, sign=True)
    yield differs("CHAP and MS-CHAPv2, both right", octets, SILENCE, ACCEPT, both)
    yield one("EAP, signed", request(name("siti"), identity_of_siti, chance=chance, sign=True), REJECT)
    yield one("EAP-Start, signed", request(name("siti"), attribute(79, b""), chance=chance, sign=True), REJECT)
    yield one("EAP, unsigned", request(name("siti"), identity_of_siti, chance=chance), SILENCE)
    octets = request(name("siti"), identity_of_siti, pap(SITI), chance=chance, sign=True)
    yield one("EAP and PAP, signed", octets, SILENCE)
    yield one("no credential, signed", request(name("siti"), chance=chance, sign=True), REJECT)
    why = "[A1.14] RFC 3579 section 3.3: nothing in it proves anything"
    yield differs("no credential, unsigned", request(name("siti"), chance=chance), SILENCE, REJECT, why)
    why = "[A1.20] whoever the request is about is said once: RouterOS lets a phone's form add attributes"
    for number, value in ((31, b"02-AA-00-00-00-02"), (44, b"another"), (32, b"other-nas")):
        parts: Sequence[Part] = (name("siti"), pap(SITI), STATION, SESSION, text(32, "nas"), attribute(number, value))
        yield differs(f"attribute {number} twice", request(*parts, chance=chance), SILENCE, ACCEPT, why)


def _signatures(chance: Random) -> Iterator[Case]:
    first = request(name("siti"), pap(SITI), chance=chance, sign=True)
    for at in (22, 29, 37):
        yield one(f"Message-Authenticator changed at {at}", flipped(first, at), SILENCE)
    yield one("Message-Authenticator of zeros", first[:22] + bytes(16) + first[38:], SILENCE)
    yield one("Message-Authenticator right, name changed", flipped(first, 40), SILENCE)
    yield one("Message-Authenticator right, Identifier changed", flipped(first, 1), SILENCE)
    yield one("Message-Authenticator right, authenticator changed", flipped(first, 4), SILENCE)
    other = request(name("siti"), pap(SITI), chance=chance, sign=True, secret=OTHER_SECRET)
    yield one("Message-Authenticator of another secret", other, SILENCE)
    empty = attribute(80, bytes(16))
    last = request(name("siti"), pap(SITI), empty, chance=chance)
    yield one("Message-Authenticator last", signed(last, len(last) - 16), ACCEPT)
    middle = request(name("siti"), empty, pap(SITI), STATION, chance=chance)
    yield one("Message-Authenticator in the middle", signed(middle, 28), ACCEPT)
    yield one("Message-Authenticator last and wrong", flipped(signed(last, len(last) - 16), len(last) - 1), SILENCE)
    twice = request(empty, name("siti"), pap(SITI), empty, chance=chance)
    yield one("two Message-Authenticators, the first right", signed(twice, 22), SILENCE)
    yield one("two Message-Authenticators, the last right", signed(twice, len(twice) - 16), SILENCE)
    for length in (0, 1, 15, 17, 32):
        octets = request(attribute(80, bytes(length)), name("siti"), pap(SITI), chance=chance)
        yield one(f"Message-Authenticator of {length} octets", octets, SILENCE)


def _demands(chance: Random) -> Iterator[Case]:
    yield one(
        "unsigned PAP where it is demanded", request(name("siti"), pap(SITI), chance=chance), SILENCE, address=STRICT
    )
    yield one(
        "unsigned CHAP where it is demanded", request(name("siti"), chap(SITI), chance=chance), SILENCE, address=STRICT
    )
    microsoft = ms_chap_attributes(*ms_chap("siti", SITI, chance=chance))
    yield one(
        "unsigned MS-CHAPv2 where it is demanded",
        request(name("siti"), microsoft, chance=chance),
        SILENCE,
        address=STRICT,
    )
    wrong = request(name("siti"), pap("salah"), chance=chance, sign=True)
    yield one("signed and wrong where it is demanded", wrong, REJECT, address=STRICT)
    yield one("bad signature where it is demanded", flipped(wrong, 30), SILENCE, address=STRICT)
    for sign in (False, True):
        how = "signed" if sign else "unsigned"
        octets = request(name("siti"), pap(SITI), chance=chance, sign=sign)
        yield one(f"PAP from a stranger, {how}", octets, SILENCE, address=STRANGER)
        yield one(f"PAP where Proxy-State is limited, {how}", octets, ACCEPT, address=LIMITING)
    state = attribute(33, b"proxy")
    octets = request(name("siti"), pap(SITI), state, chance=chance, sign=True)
    yield one("Proxy-State where it is limited, signed", octets, ACCEPT, address=LIMITING)
    octets = request(name("siti"), pap(SITI), state, chance=chance)
    why = "[A2.05] CVE-2024-3596: unsigned with Proxy-State is what the forger needs; 3.2.1 is older than that"
    yield differs("Proxy-State where it is limited, unsigned", octets, SILENCE, ACCEPT, why, address=LIMITING)
    yield one("Status-Server from a stranger", request(code=12, chance=chance, sign=True), SILENCE, address=STRANGER)
    yield one("accounting from a stranger", accounting(SESSION), SILENCE, address=STRANGER, acct=True)


def _headers(chance: Random) -> Iterator[Case]:
    right = request(name("siti"), pap(SITI), chance=chance)
    sure = request(name("siti"), pap(SITI), chance=chance, sign=True)
    for size in (1, 3, 4, 19):
        yield one(f"{size} octets", right[:size], SILENCE)
    for length in (0, 1, 19, len(right) + 1, len(right) + 20, 4096, 65_535):
        yield one(
            f"Length {length if length != len(right) + 1 else 'one too long'}", with_length(right, length), SILENCE
        )
    for length in (21, len(right) - 1, len(right) - 16):
        yield one(f"Length {length} ends within an attribute", with_length(right, length), SILENCE)
    for size in (1, 2, 100, 4000):
        octets = request(name("siti"), pap(SITI), chance=chance) + chance.randbytes(size)
        yield one(f"{size} octets of padding, unsigned", octets, ACCEPT)
        octets = request(name("siti"), pap(SITI), chance=chance, sign=True) + chance.randbytes(size)
        yield one(f"{size} octets of padding, signed", octets, ACCEPT)
    yield one("cut by one octet, signed", sure[:-1], SILENCE)
    filler = [attribute(250, bytes(253))] * 15
    for total, outcome in ((4095, ACCEPT), (4096, ACCEPT), (4097, SILENCE), (5000, SILENCE)):
        bare = request(name("siti"), pap(SITI), *filler, chance=chance)
        rest = total - len(bare)
        more = [attribute(251, bytes(min(253, rest - at - 2))) for at in range(0, rest, 255)]
        octets = request(name("siti"), pap(SITI), *filler, *more, chance=chance)
        assert len(octets) == total
        yield one(f"packet of {total} octets", octets, outcome)
    nothing = "[A1.14] RFC 3579 section 3.3: neither credential nor signature"
    yield differs("a header alone", request(chance=chance), SILENCE, REJECT, nothing)
    yield one("a header and a signature", request(chance=chance, sign=True), REJECT)


def _attributes(chance: Random) -> Iterator[Case]:
    def tail(octets: bytes) -> bytes:
        return request(name("siti"), pap(SITI), octets, chance=chance)

    for what, octets in {
        "length 0": b"\x1f\x00",
        "length 1": b"\x1f\x01",
        "length 0 with octets behind": b"\x1f\x00" + STATION,
        "length 1 with octets behind": b"\x1f\x01" + STATION,
        "one octet over the end": b"\x1f\x04a",
        "far over the end": b"\x1f\xffa",
        "a type without length": b"\x1f",
        "type 0": attribute(0, b"x"),
        "type 0, empty": attribute(0, b""),
    }.items():
        yield one(f"attribute: {what}", tail(octets), SILENCE)
    for what, octets in {
        "empty Calling-Station-Id": attribute(31, b""),
        "empty Reply-Message": attribute(18, b""),
        "empty Vendor-Specific": attribute(26, b""),
        "empty Chargeable-User-Identity": attribute(89, b""),
        "NAS-IP-Address of 5 octets": attribute(4, bytes(5)),
        "NAS-Port of 3 octets": attribute(5, bytes(3)),
        "Framed-IP-Address of 1 octet": attribute(8, b"\x01"),
        "Service-Type of 8 octets": attribute(6, bytes(8)),
        "unknown type 250": attribute(250, b"what"),
        "type 255": attribute(255, b"what"),
        "unknown vendor": vendor(65_535, (1, b"what")),
        "Vendor-Specific of 1 octet": attribute(26, b"\0"),
        "Vendor-Specific of 4 octets": attribute(26, (14_988).to_bytes(4)),
        "Vendor-Specific, inner length 0": attribute(26, (14_988).to_bytes(4) + b"\x01\x00"),
        "Vendor-Specific, inner length 1": attribute(26, (14_988).to_bytes(4) + b"\x01\x01"),
        "Vendor-Specific, inner length over the end": attribute(26, (14_988).to_bytes(4) + b"\x01\x09x"),
        "Vendor-Specific of vendor 0": vendor(0, (1, b"what")),
        "the same attribute in two places": attribute(250, b"1") + STATION + attribute(250, b"2"),
        "attributes of an Accept": attribute(27, bytes(4)) + attribute(25, b"class"),
        "a tagged attribute with tag 0x20": attribute(64, b"\x20\x00\x00\x0d"),
        "NAS-IPv6-Address of 15 octets": attribute(95, bytes(15)),
        "Framed-IPv6-Prefix of 129 bits": attribute(97, b"\x00\x81" + bytes(16)),
        "Event-Timestamp of the year 2106": attribute(55, b"\xff" * 4),
    }.items():
        yield one(f"attribute: {what}", tail(octets), ACCEPT)
    for count, outcome in ((199, ACCEPT), (200, ACCEPT), (201, SILENCE), (300, SILENCE)):
        octets = request(name("siti"), pap(SITI), *[attribute(250, b"x")] * (count - 2), chance=chance)
        yield one(f"{count} attributes", octets, outcome)
    for sign in (False, True):
        octets = request(name("siti"), pap(SITI), *[attribute(250, b"x")] * 500, chance=chance, sign=sign)
        yield one(f"some 500 attributes, {'signed' if sign else 'unsigned'}", octets, SILENCE)


def _codes(chance: Random) -> Iterator[Case]:
    for code in (0, 2, 3, 5, 11, 13, 40, 41, 43, 44, 52, 255):
        octets = request(name("siti"), pap(SITI), chance=chance, code=code, sign=True)
        yield one(f"code {code} at the authentication port", octets, SILENCE)
        yield one(f"code {code} at the accounting port", accounting(SESSION, code=code), SILENCE, acct=True)
    yield one("Accounting-Request at the authentication port", accounting(SESSION), SILENCE)
    octets = request(name("siti"), pap(SITI), chance=chance, sign=True)
    yield one("Access-Request at the accounting port", octets, SILENCE, acct=True)


def _status(chance: Random) -> Iterator[Case]:
    for acct, outcome in ((False, ACCEPT), (True, RESPONSE)):
        where = "accounting" if acct else "authentication"
        right = request(chance=chance, code=12, sign=True)
        yield one(f"Status-Server at the {where} port", right, outcome, acct=acct)
        named = request(
            text(32, "nas"), attribute(33, b"one"), attribute(33, b"two"), chance=chance, code=12, sign=True
        )
        yield one(f"Status-Server with Proxy-State at the {where} port", named, outcome, acct=acct)
        yield one(f"unsigned Status-Server at the {where} port", request(chance=chance, code=12), SILENCE, acct=acct)
        yield one(f"Status-Server of a wrong signature at the {where} port", flipped(right, 25), SILENCE, acct=acct)


def _proxy_states(chance: Random) -> Iterator[Case]:
    chains: dict[str, list[bytes]] = {
        "one": [b"1"],
        "three in order": [b"first", b"\0", b"third"],
        "the same twice": [b"same", b"same"],
        "of 253 octets": [chance.randbytes(253)],
        "twelve": [chance.randbytes(1 + n) for n in range(12)],
    }
    for what, states in chains.items():
        parts = [attribute(33, state) for state in states]
        for sign in (False, True):
            how = "signed" if sign else "unsigned"
            octets = request(*parts[:1], name("siti"), pap(SITI), *parts[1:], chance=chance, sign=sign)
            yield one(f"Proxy-State {what} on an Accept, {how}", octets, ACCEPT)
            octets = request(name("siti"), *parts, pap("salah"), chance=chance, sign=sign)
            yield one(f"Proxy-State {what} on a Reject, {how}", octets, REJECT)
        yield one(
            f"Proxy-State {what} on accounting",
            accounting(attribute(40, bytes((0, 0, 0, 1))), *parts, SESSION),
            RESPONSE,
            acct=True,
        )


def _duplicates(chance: Random) -> Iterator[Case]:
    def several(
        what: str, outcomes: Sequence[Outcome], *requests: bytes, acct: bool = False, same: bool = False
    ) -> Case:
        return Case(what, requests, tuple(outcomes), TRUSTING, acct, same_octets=same)

    right = request(name("siti"), pap(SITI), chance=chance)
    wrong = request(name("siti"), pap("salah"), chance=chance, sign=True)
    status = request(chance=chance, code=12, sign=True)
    start = accounting(attribute(40, bytes((0, 0, 0, 1))), text(44, "lab-0002"))
    microsoft = ms_chap_attributes(*ms_chap("siti", SITI, chance=chance))
    keys = request(name("siti"), microsoft, PPP, chance=chance, sign=True)
    yield several("an accepted request thrice", [ACCEPT] * 3, right, right, right, same=True)
    yield several("a rejected request twice", [REJECT] * 2, wrong, wrong, same=True)
    yield several("an MS-CHAPv2 request twice", [ACCEPT] * 2, keys, keys, same=True)
    yield several("accounting twice", [RESPONSE] * 2, start, start, acct=True, same=True)
    yield several("Status-Server twice", [ACCEPT] * 2, status, status, same=True)
    other = request(name("siti"), pap("salah"), chance=chance)
    yield several("the same Identifier for another request", [ACCEPT, REJECT], right, other)
    again = request(name("siti"), pap(SITI), chance=chance, identifier=8, authenticator=right[4:20])
    yield several("the same authenticator under another Identifier", [ACCEPT, ACCEPT], right, again)
    spoilt = flipped(request(name("siti"), pap(SITI), chance=chance, sign=True), 30)
    yield several("a forged one between two copies", [ACCEPT, SILENCE, ACCEPT], right, spoilt, right)


def _accounting(chance: Random) -> Iterator[Case]:
    def status(value: int) -> bytes:
        return attribute(40, value.to_bytes(4))

    station = (name("siti"), STATION, text(44, "lab-0003"))
    for what, value in (("Start", 1), ("Interim-Update", 3), ("Stop", 2)):
        counters = attribute(46, (60).to_bytes(4)) + attribute(42, bytes(4)) + attribute(43, bytes(4))
        for sign in (False, True):
            octets = accounting(status(value), *station, counters, sign=sign)
            yield one(f"{what}{', signed' if sign else ''}", octets, RESPONSE, acct=True)
    yield one("Accounting-On", accounting(status(7), text(32, "nas")), RESPONSE, acct=True)
    yield one("Accounting-Off", accounting(status(8), text(32, "nas")), RESPONSE, acct=True)
    yield one("accounting without Acct-Status-Type", accounting(*station), RESPONSE, acct=True)
    yield one("accounting without Acct-Session-Id", accounting(status(1), name("siti")), RESPONSE, acct=True)
    yield one("accounting of an unknown status", accounting(status(99), *station), RESPONSE, acct=True)
    yield one("accounting without attributes", accounting(), RESPONSE, acct=True)
    right = accounting(status(1), *station)
    yield one("accounting, authenticator of zeros", right[:4] + bytes(16) + right[20:], SILENCE, acct=True)
    yield one("accounting, random authenticator", right[:4] + chance.randbytes(16) + right[20:], SILENCE, acct=True)
    yield one("accounting, authenticator changed", flipped(right, 12), SILENCE, acct=True)
    yield one("accounting, attribute changed", flipped(right, len(right) - 1), SILENCE, acct=True)
    yield one("accounting, Identifier changed", flipped(right, 1), SILENCE, acct=True)
    yield one("accounting of another secret", accounting(status(1), *station, secret=OTHER_SECRET), SILENCE, acct=True)
    yield one("accounting, padded", accounting(status(1), *station, text(45, "x")) + b"pad", RESPONSE, acct=True)
    yield one("accounting, cut by one octet", right[:-1], SILENCE, acct=True)
    many = accounting(status(1), *[attribute(250, b"x")] * 300)
    yield one("accounting of 301 attributes", many, SILENCE, acct=True)
    yield one("accounting, type 0", accounting(status(1), attribute(0, b"x")), SILENCE, acct=True)
    yield one(
        "accounting, unsigned where it is demanded",
        accounting(status(1), *station),
        RESPONSE,
        address=STRICT,
        acct=True,
    )
    unsure = accounting(status(1), attribute(80, b"\x07" * 16), *station)
    yield one("accounting, right authenticator and wrong Message-Authenticator", unsure, SILENCE, acct=True)
    twice = accounting(attribute(80, bytes(16)), status(1), attribute(80, bytes(16)))
    yield one("accounting, two Message-Authenticators", twice, SILENCE, acct=True)
