"""Fixtures: fake programs, made pictures, and a face where scikit-image is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from base_codec_adapters import Picture420

HEADER = """\
#!{python}
import json, os, signal, sys, time
from pathlib import Path
record = Path({record!r})
calls = json.loads(record.read_text()) if record.exists() else []
calls.append(sys.argv[1:])
record.write_text(json.dumps(calls))
"""


class FakeProgram:
    """An executable Python script that first records its arguments."""

    def __init__(self, path: Path, body: str) -> None:
        self.path = path
        self._record = path.with_name(path.name + ".calls.json")
        path.write_text(HEADER.format(python=sys.executable, record=str(self._record)) + body)
        path.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of each call so far."""
        calls: list[list[str]] = json.loads(self._record.read_text())
        return calls


class MakeProgram(Protocol):
    def __call__(self, body: str, name: str = ...) -> FakeProgram: ...


@pytest.fixture
def make_program(tmp_path: Path) -> MakeProgram:
    def make(body: str, name: str = "fake program") -> FakeProgram:
        return FakeProgram(tmp_path / name, body)

    return make


class MakePicture(Protocol):
    def __call__(self, width: int = ..., height: int = ..., shade: int = ...) -> Picture420: ...


@pytest.fixture
def make_picture() -> MakePicture:
    """Pictures that any encoder codes well: a slope, whose mean luma is near ``shade``."""

    def make(width: int = 64, height: int = 64, shade: int = 128) -> Picture420:
        rows, columns = np.mgrid[0:height, 0:width]
        slope = 30 * np.sin(rows / 21) + 20 * np.cos(columns / 17)
        y = np.clip(shade + slope, 16, 235).astype(np.uint8)
        u = np.clip(128 + slope[::2, ::2] / 2, 16, 240).astype(np.uint8)
        v = np.clip(128 - slope[::2, ::2] / 2, 16, 240).astype(np.uint8)
        return Picture420(y, u, v)

    return make
