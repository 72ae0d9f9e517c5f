"""Message catalogues: gettext .po files beside the templates, read at the start, so nothing has to be compiled.

The templates hold the Indonesian text; `locale/en/messages.po` its English. An empty translation means the text
itself, so `locale/id/messages.po` may stay empty or give a city its own words.
"""

from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("id", "en")


def catalogue_path(theme: Path, language: str) -> Path:
    """Return where a theme keeps the catalogue of a language."""
    return theme / "locale" / language / "messages.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    """Read a .po file."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def translations(theme: Path, language: str) -> NullTranslations:
    """Return the texts of a language."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(catalogue_path(theme, language), language))
    compiled.seek(0)
    return GNUTranslations(compiled)
