"""What commands print for people is whole, however wide they are told that the place is."""

from __future__ import annotations

import pytest

from gfvc.cli.console import print_table

LONG = "a sentence that is longer than any of the widths that are told here, by some words or more"


@pytest.mark.parametrize("columns", [None, "0", "20", "60"])
@pytest.mark.parametrize("width", [None, 30])
def test_tables_in_a_pipe_keep_all_their_text(
    columns: str | None,
    width: int | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    console = print_table("a title", ["name", "bits"], [[LONG, 1234567890]], width=width)
    console.print("below")
    out = capsys.readouterr().out
    (row,) = (line for line in out.splitlines() if LONG in line)
    assert "1234567890" in row
    assert "a title" in out
    assert out.endswith("below\n")
