"""One self-contained HTML file: a title, a lead, sections. No script, no request, nothing to install to read it.

The template escapes every text it is given and shows what is hidden in it (`untrusted`); the page forbids itself, by
its own policy, to run or to load anything. Style sheet and template stand beside this file.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from personae.report.blocks import Section, Text
from personae.report.tables import to_html
from personae.report.untrusted import visible

if TYPE_CHECKING:
    from jinja2 import Template


def page(
    title: str, lead: Text, sections: Sequence[Section], *, language: str = "en", foot: Text = "", back: Text = ""
) -> str:
    """The whole file as text; the same content gives the same bytes. `back` stands above the title: where one was."""
    names = _anchors([section.heading for section in sections])
    content = {"title": title, "lead": lead, "sections": list(zip(names, sections)), "foot": foot, "back": back}
    return _template().render(**content, language=language, style=_style())


def _anchors(headings: Sequence[str]) -> list[str]:
    """An address for each section: letters, digits and hyphens, no two alike."""
    seen: dict[str, int] = {}
    names = []
    for heading in headings:
        name = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "section"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _shown(value: Any) -> Any:  # noqa: ANN401 - jinja2 passes whatever an expression gives
    if isinstance(value, Markup):
        return Markup(visible(value))
    return visible(value) if isinstance(value, str) else value


def _style() -> Markup:
    sheet = resources.files("personae.report").joinpath("page.css").read_text(encoding="utf-8")
    return Markup(re.sub(r"\s*\n\s*", "\n", sheet))


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    source = resources.files("personae.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, finalize=_shown, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["to_html"] = to_html
    return environment.from_string(source)
