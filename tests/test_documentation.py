"""Documentation that is written from the code must be fresh, and its links must lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gfvc.cli.reference import reference
from tests.conftest import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_command_line_reference_is_fresh() -> None:
    written = (REPOSITORY / "docs/cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m gfvc.cli.reference docs/cli.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_there_are_pages_to_check() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_files_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:gfvc|sei|models|base_codec_adapters|benchmarks|tools|tests)/[\w/.]*)`", text
    )
    real = [path for path in named if "NAME" not in path]
    assert not [path for path in real if not (REPOSITORY / path).exists()]


def test_imports_go_down_the_drawing_of_layers() -> None:
    page = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    drawing = page.split("a test reads this drawing:")[1].split("```")[1]
    layers = [line.split() for line in reversed(drawing.strip().splitlines())]
    rank = {name: height for height, names in enumerate(layers) for name in names}
    package = REPOSITORY / "gfvc"
    parts = {path.name.removesuffix(".py") for path in package.iterdir()}
    assert {name for name in parts if not name.startswith("__") and "." not in name} == set(rank)
    upwards = [
        f"{path.relative_to(package)} imports gfvc.{other}"
        for path in sorted(package.rglob("*.py"))
        if (part := path.relative_to(package).parts[0].removesuffix(".py")) in rank
        for other in imported_parts(path)
        if rank.get(other, 0) > rank[part]
    ]
    assert not upwards


def imported_parts(path: Path) -> set[str]:
    """Parts of gfvc that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("gfvc.")}
