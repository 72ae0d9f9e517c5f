"""A theme: one folder of templates, texts, colours and facts about the city, rendered in a sandbox.

A city copies `portal_templates/pesisir` to `<data dir>/theme` and changes it; what it leaves out comes from ours.
Templates get plain view models and cannot reach further (SandboxedEnvironment, autoescape, no missing names).
"""

import base64
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

import app
from app.web.catalogue import LANGUAGES, catalogue_path, translations
from app.web.public_services import read_services, services_file

DEFAULT_THEME: Final = "pesisir"
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE: Final = re.compile(r"\s*([{}:;,>])\s*")


@dataclass(frozen=True, slots=True)
class City:
    """Who runs the network, as the pages say it."""

    program: str
    operator: str
    office: str
    help: Mapping[str, str]
    phone: str


def theme_folders(data_dir: Path) -> tuple[Path, ...]:
    """Return where the templates are, the city's own first."""
    packaged = Path(app.__file__).parent / "_data" / "portal_templates" / DEFAULT_THEME
    beside = Path(app.__file__).parent.parent / "portal_templates" / DEFAULT_THEME
    own = data_dir / "theme"
    ours = packaged if packaged.is_dir() else beside
    return (own, ours) if own.is_dir() else (ours,)


class Theme:
    """The templates of a theme, ready to render in each language."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        style = _minified(self._find("style.css").read_text(encoding="utf-8"))
        digest = hashlib.sha256(style.encode()).digest()
        self.style_source = f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
        self.city = _city(self._find("city.toml"))
        self.services = read_services(services_file(folders).read_text(encoding="utf-8"))
        self._environments = {language: self._environment(language, style) for language in LANGUAGES}
        for environment in self._environments.values():
            for name in environment.list_templates(extensions=["html"]):
                environment.get_template(name)  # compiled now: a mistake stops the start, not the first phone

    def render(self, language: str, template: str, view: object) -> str:
        """Render a view model; the template sees it as `view`."""
        return self._environments[language].get_template(template).render(view=view, language=language)

    def _environment(self, language: str, style: str) -> ImmutableSandboxedEnvironment:
        environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self._folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        folder = next(f for f in self._folders if catalogue_path(f, language).is_file())
        # The i18n extension adds this method to the environment; Jinja2 does not declare it.
        environment.install_gettext_translations(translations(folder, language), newstyle=True)  # type: ignore[attr-defined]
        environment.globals["city"] = self.city
        environment.globals["style"] = Markup(style)  # noqa: S704 our own file, not a person's text
        return environment

    def _find(self, name: str) -> Path:
        return next(folder / name for folder in self._folders if (folder / name).is_file())


def _minified(css: str) -> str:
    return _SPACE.sub(r"\1", " ".join(_COMMENT.sub("", css).split())).replace(";}", "}")


def _city(path: Path) -> City:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return City(table["program"], table["operator"], table["office"], table["help"], table["phone"])
