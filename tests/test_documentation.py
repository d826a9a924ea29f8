"""Documentation that is written from the code must be fresh, and its links must lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from gfvc.cli.reference import reference
from gfvc.options.encoding import QUALITIES
from gfvc.rate_control.ladder import Coding, quality_settings
from tests.conftest import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_the_command_line_reference_is_fresh() -> None:
    written = (REPOSITORY / "docs/cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m gfvc.cli.reference docs/cli.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert not broken_links(page)


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text(
        "# One page\n```\n## In code\n```\n## `A b`, twice\n## A b twice\n## A b twice\n"
    )
    page = tmp_path / "page.md"
    good = ["there.md", "there.md#one-page", "there.md#a-b-twice", "there.md#a-b-twice-2", "#here"]
    bad = ["gone.md", "there.md#in-code", "there.md#a-b", "#nowhere", "gone.md#one-page"]
    page.write_text("## Here\n" + " ".join(f"[text]({link})" for link in good + bad))
    assert broken_links(page) == bad


def test_the_presets_are_those_of_the_ladder() -> None:
    page = (REPOSITORY / "docs/rate_control.md").read_text(encoding="utf-8")
    for quality in QUALITIES:
        settings = quality_settings(quality, Coding("vvc", predicted=True))
        numbers = [settings.key_qp, settings.symbol_price, settings.coded_qp]
        row = " | ".join(f"{number:.2g}" for number in numbers if number is not None)
        assert re.search(rf"^\| `{quality}`(?: \(default\))? \| {re.escape(row)} \|$", page, re.M)


def test_there_are_pages_to_check() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= {page.name for page in PAGES}


def test_the_map_of_pages_has_every_page() -> None:
    top = REPOSITORY / "docs/README.md"
    linked = {
        (top.parent / link).resolve() for link in LINK.findall(top.read_text(encoding="utf-8"))
    }
    assert linked >= set(REPOSITORY.glob("docs/**/*.md")) - {top}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_files_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:gfvc|sei|models|base_codec_adapters|benchmarks|tools|tests)/[\w/.]*)`", text
    )
    real = [path for path in named if "NAME" not in path]
    assert not [path for path in real if not (REPOSITORY / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_names_are_defined_in_the_files_that_pages_give_for_them(page: Path) -> None:
    assert not misplaced_names(page.read_text(encoding="utf-8"))


def misplaced_names(text: str) -> list[tuple[str, str]]:
    """Names and files where a page has `name` (`file.py`) or `name` in `file.py` wrongly."""
    found = re.findall(r"`(\w+)`,?\s(?:in\s|\()`([\w]+/[\w/]+\.py)`", text)
    return [
        (name, file)
        for name, file in found
        if not re.search(
            rf"^\s*(?:class|def) {name}\b|^{name}\b(?:: .*)? =",
            (REPOSITORY / file).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]


def test_misplaced_names_are_noticed() -> None:
    assert not misplaced_names("`Pass` (`gfvc/encoding/passes.py`), `quantise` in\n"
                               "`gfvc/parameter_coding.py`")  # fmt: skip
    wrong = [("Pass", "gfvc/decoder.py"), ("quantise", "gfvc/encoder.py")]
    assert misplaced_names("`Pass`\n(`gfvc/decoder.py`), `quantise` in `gfvc/encoder.py`") == wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_names_that_pages_import_or_spell_out_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:gfvc|sei|models|base_codec_adapters|benchmarks|tools)(?:\.\w+)+)`", text
    )
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                named += [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                named += [alias.name for alias in node.names]
    assert not [name for name in named if not is_there(name)]


def is_there(name: str) -> bool:
    """Whether a module has a name, or is one; what is behind a class counts with it."""
    module, *rest = name.split(".")
    found: object = importlib.import_module(module)
    for part in rest:
        if not hasattr(found, part):
            try:
                importlib.import_module(f"{module}.{part}")
            except ImportError:
                return False
        found, module = getattr(found, part), f"{module}.{part}"
    return True


def test_names_that_are_not_there_are_noticed() -> None:
    assert is_there("models.files.read_tensors")
    assert is_there("models.published.model.NetworkModel._prepare")
    assert not is_there("models.card.read_tensors")
    assert not is_there("models.nothing")


def test_the_pages_that_code_names_exist() -> None:
    files = [path for path in REPOSITORY.glob("*/**/*.py") if ".venv" not in path.parts]
    named = {
        (str(path.relative_to(REPOSITORY)), name)
        for path in files
        for name in re.findall(r"\bdocs/[\w/]+\.md", path.read_text(encoding="utf-8"))
    }
    assert named
    assert not [(path, name) for path, name in named if not (REPOSITORY / name).exists()]


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


def broken_links(page: Path) -> list[str]:
    """Links of a page to files that are not there, or to headings that their page has not."""
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, made as GitHub makes them."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    found: Counter[str] = Counter()
    made = set()
    for heading in re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        made.add(f"{kept}-{found[kept]}" if found[kept] else kept)
        found[kept] += 1
    return made


def imported_parts(path: Path) -> set[str]:
    """Parts of gfvc that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("gfvc.")}
