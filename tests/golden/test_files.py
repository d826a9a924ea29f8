"""A golden that is missing, extra or other than now fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.files import check_names, check_text


def test_a_missing_golden_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"missing.*python -m tests\.golden\.regenerate"):
        check_text(tmp_path / "one.txt", "text")
    with pytest.raises(AssertionError, match=r"missing in .*two\.txt"):
        check_names(tmp_path, ["two.txt"])


def test_an_extra_golden_fails(tmp_path: Path) -> None:
    (tmp_path / "one.txt").touch()
    with pytest.raises(AssertionError, match=r"not asked for in .*one\.txt"):
        check_names(tmp_path, [])


def test_the_difference_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("sent K...\nsame\n", "utf-8")
    with pytest.raises(AssertionError, match=r"-sent K\.\.\.\n\+sent K\.\.m"):
        check_text(path, "sent K..m\nsame\n")
    check_text(path, "sent K...\nsame\n")
