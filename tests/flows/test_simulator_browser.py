"""The simulated phone reads pages as they are served."""

import pytest

from app.simulator.browser import read_page

PAGE = """
<div class="note bad" role="alert"><div><h2>Kuota hari ini habis</h2></div><p>Kembali pukul&nbsp;00.00.</p></div>
<div>bukan ini</div>
<form method="post" action="/login"><input type="hidden" name="way" value="free">
<input type="checkbox" name="remember" value="yes"><button>Sambungkan</button></form>
<form action="/x"><input name="code" value="ABC"><input type="checkbox" name="terms" value="yes" checked></form>
<input name="outside" value="1">
"""


def test_forms_have_what_would_be_sent_untouched() -> None:
    first, second = read_page(PAGE).forms
    assert (first.action, first.fields) == ("/login", {"way": "free"})
    assert second.fields == {"code": "ABC", "terms": "yes"}


def test_warning_isread_page_as_words() -> None:
    assert " ".join("".join(read_page(PAGE).alert).split()) == "Kuota hari ini habis Kembali pukul 00.00."


@pytest.mark.parametrize("text", ["", "<form", "<div role=alert>", "</form></div>", "<input name>", "<form action>"])
def test_broken_pages_areread_page_as_far_as_they_go(text: str) -> None:
    assert len(read_page(text).forms) <= 1
