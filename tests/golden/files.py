"""Where the goldens are, and what one says who finds that they do not fit."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
STREAMS, DECISIONS = DATA / "streams", DATA / "decisions"

HINT = "if that is meant: python -m tests.golden.regenerate (see CONTRIBUTING.md)"


def check_text(path: Path, text: str) -> None:
    """Fail where a golden is missing, or says something else than `text`."""
    assert path.is_file(), f"{path} is missing; {HINT}"
    golden = path.read_text("utf-8")
    if golden == text:
        return
    changes = unified_diff(
        golden.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=1
    )
    raise AssertionError("\n".join([f"{path.name} differs; {HINT}", *changes]))


def check_names(folder: Path, names: Iterable[str]) -> None:
    """Fail where a folder of goldens holds others than these."""
    found = {path.name for path in folder.iterdir()}
    wanted = set(names)
    assert not wanted - found, f"missing in {folder}: {sorted(wanted - found)}; {HINT}"
    assert not found - wanted, f"not asked for in {folder}: {sorted(found - wanted)}; {HINT}"
