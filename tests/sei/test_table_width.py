"""Tables keep their texts, whatever width a pipe is said to have."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from sei import Codec, SeiMessage, join_annex_b, make_sei_nal_unit
from sei.__main__ import main


class Terminal(StringIO):
    """A terminal, as far as rich asks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream(tmp_path: Path) -> str:
    path = tmp_path / "in.265"
    unit = make_sei_nal_unit([SeiMessage(5, b"0123456789abcdef" * 9)], Codec.HEVC)
    path.write_bytes(join_annex_b([unit]))
    return str(path)


@pytest.mark.parametrize("columns", ["0", "1", "20", "200"])
def test_a_pipe_is_as_wide_as_the_table(
    stream: str, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [stream, "--summary", "--bits"]
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(arguments) == 0
    whole = capsys.readouterr().out
    assert "what the bits are for" in whole
    assert "…" not in whole
    monkeypatch.setenv("COLUMNS", columns)
    assert main(arguments) == 0
    assert capsys.readouterr().out == whole


def test_a_terminal_of_width_0_has_the_usual_one(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    assert main([stream, "--summary"]) == 0
    assert "what the bits are for" in terminal.getvalue()
