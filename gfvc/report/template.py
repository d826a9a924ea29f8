"""Rendering the page's template; style sheet and script go into it, so that it stands alone."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gfvc.report.charts import short


def render_page(**shown: Any) -> str:
    """The page with these values; whatever is text in them is escaped."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["short"] = short
    # `tojson` escapes what could end a script element.
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    template = environment.from_string(_read("page.html"))
    return template.render(
        style=Markup(_read("page.css")), script=Markup(_read("page.js")), **shown
    )


def _read(name: str) -> str:
    return files("gfvc.report").joinpath("data", name).read_text(encoding="utf-8")
