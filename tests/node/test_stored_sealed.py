"""The file of a stored snapshot: what was written comes back, and nothing else is ever taken for it."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.node.stored import sealed
from app.node.stored.age import Dated
from app.node.stored.sealed import Label, StoredError
from app.services.keyring import Keyring
from tests.conftest import SECRET_KEY
from tests.factories import NOON
from tests.node.journals import NODE

KEYRING = Keyring(SECRET_KEY)
LABEL = Label(NODE, 0, Dated(NOON, NOON, 1.5), KEYRING.check)
PARTS = (b"what is in it", b"", b"some rows" * 20, b"the last rows")


def written(folder: Path, parts: Sequence[bytes] = PARTS, label: Label = LABEL) -> Path:
    path = folder / "0.snapshot"
    sealed.write(path, label, parts, KEYRING, chance=os.urandom)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("whole")).read_bytes()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed") / "0.snapshot"


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(StoredError) as caught:
        sealed.read(path, KEYRING)
    assert caught.value.path == path
    return caught.value.problem


@pytest.mark.parametrize("parts", [PARTS, (b"one",), (b"", b"")], ids=["several", "one", "empty ones"])
def test_what_was_written_is_read(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    path = written(tmp_path, parts)
    assert sealed.read(path, KEYRING) == sealed.Sealed(LABEL, parts, path.stat().st_size)
    assert sealed.read_first(path, KEYRING) == sealed.Sealed(LABEL, parts[:1], path.stat().st_size)


def test_only_its_owner_can_read_it_and_no_draft_is_left(tmp_path: Path) -> None:
    (tmp_path / ".0.snapshot.new").write_bytes(b"left by a power cut")
    path = written(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_in_it_can_be_read_without_the_key(whole: bytes) -> None:
    assert b"rows" not in whole
    assert b"what is in it" not in whole


def test_the_same_is_never_sealed_alike(tmp_path: Path) -> None:
    first = written(tmp_path).read_bytes()
    assert first[-40:] != written(tmp_path).read_bytes()[-40:]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = path.read_bytes()

    def full() -> Iterator[bytes]:
        yield b"first"
        yield b"second"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        sealed.write(path, LABEL, full(), KEYRING, chance=os.urandom)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_every_single_changed_octet_is_refused(whole: bytes, scratch: Path) -> None:
    for at in range(len(whole)):
        for bit in (0x01, 0x80):
            refused(scratch, whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])


def test_every_truncation_is_refused(whole: bytes, scratch: Path) -> None:
    for octets in range(len(whole)):
        refused(scratch, whole[:octets])


@given(st.data())
def test_no_change_of_any_kind_is_taken(whole: bytes, scratch: Path, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))
    put = data.draw(st.binary(max_size=60))
    changed = whole[:begin] + put + whole[end:]
    if changed != whole:
        refused(scratch, changed)


def test_parts_cannot_change_places_or_be_left_out(tmp_path: Path, scratch: Path) -> None:
    data = written(tmp_path, (b"aaaa", b"bbbb", b"cccc")).read_bytes()
    octets = 4 + 4 + 16  # length, part, tag
    head, parts = data[: -3 * octets], [data[-3 * octets :][n * octets :][:octets] for n in range(3)]
    assert head + b"".join(parts) == data
    for order in ([1, 0, 2], [0, 2], [0, 1], [0, 1, 2, 2], [2]):
        assert "damaged" in refused(scratch, head + b"".join(parts[n] for n in order))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda data: b"", "ends at octet 0", id="empty"),
        pytest.param(lambda data: b"SQLite format 3\0" + data, "begins with something else", id="something else"),
        pytest.param(lambda data: data[:9] + b"\x02" + data[10:], "format 2; this version reads format 1", id="newer"),
        pytest.param(lambda data: data[:-5], "reaches beyond its end", id="cut off"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), "in the part at octet", id="damaged"),
    ],
)
def test_it_says_what_is_wrong_and_where(
    whole: bytes, scratch: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    assert said in refused(scratch, change(whole))


def test_another_secret_key_is_told_from_damage(tmp_path: Path) -> None:
    with pytest.raises(StoredError, match="another secret key"):
        sealed.read(written(tmp_path), Keyring(bytes(32)))


def test_a_label_that_claims_this_key_opens_nothing_of_another(tmp_path: Path) -> None:
    path = tmp_path / "0.snapshot"
    sealed.write(path, LABEL, PARTS, Keyring(bytes(32)), chance=os.urandom)
    with pytest.raises(StoredError, match="damaged"):
        sealed.read(path, KEYRING)


@pytest.mark.parametrize(
    "label",
    [
        replace(LABEL, node="another_node_1234"),
        replace(LABEL, worker=1),
        replace(LABEL, dated=replace(LABEL.dated, as_of=datetime(2027, 1, 1, tzinfo=UTC))),
    ],
    ids=["node", "worker", "date"],
)
def test_the_label_is_vouched_for_by_the_first_part(tmp_path: Path, label: Label) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    begin = data.index(b"{")
    octets = len(LABEL.to_bytes())
    said = label.to_bytes()
    path.write_bytes(data[:10] + len(said).to_bytes(2, "big") + data[12:begin] + said + data[begin + octets :])
    for read in (sealed.read, sealed.read_first):
        with pytest.raises(StoredError, match="damaged"):
            read(path, KEYRING)


def test_no_file_is_not_a_refused_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sealed.read(tmp_path / "0.snapshot", KEYRING)


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoredError, match="Is a directory"):
        sealed.read(tmp_path, KEYRING)
