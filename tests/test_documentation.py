"""Documentation that is written from the code must be fresh, and its links must lead somewhere."""

from __future__ import annotations

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
