"""Indonesian mobile numbers in one spelling: +62 8..., as E.164."""

import re
from typing import Final

_SEPARATORS: Final = str.maketrans("", "", " .-()/\u00a0\u2011\u2013")
_PREFIX: Final = re.compile(r"(?:\+?62)?0?(8[0-9]{8,11})\Z")
_LONGEST: Final = 40


def parse_phone(text: str) -> str | None:
    """Return `+628...` for 08xx, 8xx, 62 8xx, +62 8xx and +62 (0) 8xx with any usual separators; None otherwise.

    The national number has 9 to 12 digits and begins with 8. Fixed lines and foreign numbers are not ours to send to.
    """
    if len(text) > _LONGEST:
        return None
    match = _PREFIX.match(text.strip().translate(_SEPARATORS))
    return None if match is None else f"+62{match[1]}"
