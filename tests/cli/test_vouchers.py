"""Codes as they are printed: a table for machines, a sheet for scissors."""

import csv
import io
import re

import pytest
import segno

from app.cli.installation import author
from app.domain.vouchers import CODE_LENGTH, normalise_code
from tests.cli.conftest import Pesisir

PRINTED = re.compile(r"<b>([0-9A-Z-]+)</b>")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def drawn_modules(svg: str) -> set[tuple[int, int]]:
    """Return (row, column) of each dark module of the QR: its path is made of horizontal strokes."""
    path = re.search(r' d="([^"]+)"', svg)
    assert path is not None
    dark: set[tuple[int, int]] = set()
    x = y = 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path[1]):
        if command == "h":
            dark |= {(int(y), column) for column in range(int(x), int(x) + int(first))}
            x += float(first)
        elif command == "m":
            x, y = x + float(first), y + float(second or 0)
        else:
            x, y = float(first), float(second)
    return dark


def test_table_has_every_code_in_groups_of_three(city: Pesisir) -> None:
    made = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "5", "--note", "RT 3").out)
    assert len({row["code"] for row in made}) == 5
    assert all(re.fullmatch(r"\w{3}-\w{3}-\w{3}", row["code"]) and row["plan"] == "Warga" for row in made)


@pytest.mark.parametrize("note", ["=1+1", "+62", "-1", "@SUM(A1)"])
def test_table_has_no_formula_for_a_spreadsheet(city: Pesisir, note: str) -> None:
    made = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "1", "--note", note).out)
    assert made[0]["note"] == f"'{note}"


def test_sheet_is_a4_and_loads_nothing(city: Pesisir) -> None:
    page = city.ok("voucher", "create", "--plan", "Warga", "--count", "2", "--format", "html").out
    assert "@page { size: A4;" in page
    assert re.findall(r'(?:src|href)="(?!data:,)', page) == []
    assert "<script" not in page


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


def test_sheet_of_top_ups_says_what_a_code_adds_and_to_what(city: Pesisir) -> None:
    city.ok("plan", "add", "Tambah", "--total", "1GB", "--down", "4M", "--devices", "2", "--validity", "7d")
    create = ("voucher", "create", "--plan", "Tambah", "--count", "1", "--top-up", "--format", "html")
    words = words_of(city.ok(*create).out)
    assert "tambahan 1 GB Menambah akun yang sudah masuk di ponsel ini. Berlaku 7 hari sejak" in words
    assert not any(phrase in words for phrase in ("seluruhnya", "Mbps", "perangkat"))
    city.ok("plan", "set", "Tambah", "--total", "none")
    city.environment["PESISIR_LANGUAGE"] = "en"
    words = words_of(city.ok(*create).out)
    assert "7 days more Adds to the account that is logged in on this phone." in words
    assert "Valid for" not in words


def test_who_makes_and_revokes_vouchers_is_kept_and_listed(city: Pesisir) -> None:
    account = author()
    made = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "3", "--by", "Agen Wati").out)
    city.ok("voucher", "revoke", made[0]["code"], "--yes", "--by", "Pak Adi")
    city.ok("voucher", "revoke", made[1]["code"], "--yes")
    city.ok("voucher", "revoke", made[1]["code"], "--yes", "--by", "somebody who came too late")
    (listed,) = city.ok("voucher", "list", "--json").json
    assert listed["author"] == f"Agen Wati ({account})"
    assert listed["revoked_by"] == sorted([f"Pak Adi ({account})", account])
    city.ok("voucher", "revoke", "--batch", listed["id"], "--yes", "--by", "Ibu Ratna")
    table = city.ok("voucher", "list").out
    assert f"Agen Wati ({account})" in table
    assert ", ".join(sorted([f"Ibu Ratna ({account})", f"Pak Adi ({account})", account])) in table


def test_top_ups_are_told_from_other_batches(city: Pesisir) -> None:
    plain = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "1").out)
    top_up = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "1", "--top-up").out)
    assert [row["top_up"] for row in (*plain, *top_up)] == ["no", "yes"]
    batches = {row["batch"]: row["top_up"] for row in (*plain, *top_up)}
    header, *lines = city.ok("voucher", "list").out.splitlines()
    assert header.split()[:3] == ["BATCH", "PLAN", "TOP-UP"]
    assert {line.split()[0]: line.split()[2] for line in lines} == batches


def test_sheet_says_in_words_what_a_code_gives(city: Pesisir) -> None:
    city.ok("plan", "set", "Warga", "--devices", "2")
    create = ("voucher", "create", "--plan", "Warga", "--count", "1", "--until", "2099-12-31", "--format", "html")
    words = words_of(city.ok(*create).out)
    for phrase in ("500 MB per hari", "hingga 4 Mbps", "untuk 2 perangkat", "Berlaku 30 hari sejak pertama dipakai."):
        assert phrase in words
    assert "Gunakan paling lambat 31 Desember 2099." in words


def test_sheet_speaks_english_where_the_city_does(city: Pesisir) -> None:
    city.environment["PESISIR_LANGUAGE"] = "en"
    page = city.ok("voucher", "create", "--plan", "Warga", "--count", "1", "--format", "html").out
    assert '<html lang="en">' in page
    assert "Connect to the Wi-Fi, then enter this code." in page


def test_sheet_escapes_what_people_wrote(city: Pesisir) -> None:
    create = ("voucher", "create", "--plan", "Warga", "--count", "1", "--note", "<b>RT 3</b>", "--format", "html")
    assert "&lt;b&gt;RT 3&lt;/b&gt;" in city.ok(*create).out


def test_qr_on_the_sheet_reads_as_the_portal(city: Pesisir) -> None:
    page = city.ok("voucher", "create", "--plan", "Warga", "--count", "1", "--format", "html").out
    expected = segno.make("https://portal.example.id", error="m", micro=False).matrix
    dark = {(y + 4, x + 4) for y, row in enumerate(expected) for x, module in enumerate(row) if module}
    assert drawn_modules(page) == dark


def test_batch_is_printed_again_without_what_was_revoked(city: Pesisir) -> None:
    made = [row["code"] for row in rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "3").out)]
    batch = city.ok("voucher", "list", "--json").json[0]["id"]
    city.ok("voucher", "revoke", made[0].lower().replace("-", " "), "--yes")
    again = city.ok("voucher", "print", batch)
    assert set(PRINTED.findall(again.out)) == set(made[1:])
    assert "left out 1" in again.err


def test_list_counts_and_never_shows_a_code(city: Pesisir) -> None:
    codes = [row["code"] for row in rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "2").out)]
    city.ok("voucher", "revoke", codes[0], "--yes")
    listed = city.ok("voucher", "list", "--json")
    assert listed.json[0].items() >= {"plan": "Warga", "size": 2, "new": 1, "used": 0, "revoked": 1}.items()
    assert not any(code in listed.out or code in city.ok("voucher", "list").out for code in codes)


def test_whole_batch_is_revoked(city: Pesisir) -> None:
    city.ok("voucher", "create", "--plan", "Warga", "--count", "4")
    batch = city.ok("voucher", "list", "--json").json[0]["id"]
    assert "revoked 4" in city.ok("voucher", "revoke", "--batch", batch, "--yes").err
    assert "revoked before" in city.ok("voucher", "revoke", "--batch", batch, "--yes").err


def test_codes_have_no_letters_that_look_alike(city: Pesisir) -> None:
    made = rows(city.ok("voucher", "create", "--plan", "Warga", "--count", "50").out)
    normal = [normalise_code(row["code"]) for row in made]
    assert {len(code or "") for code in normal} == {CODE_LENGTH}
    assert not set("01OIL") & set("".join(row["code"] for row in made))
