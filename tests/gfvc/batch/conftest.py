"""An engine for tests of what a batch does, whatever does its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gfvc.batch.engine import Engine
from tests.gfvc.batch.test_engines import HereEngine


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done in this process: to start others, and to load all there, takes longer."""

    @contextmanager
    def opened(*_: object, **__: object) -> Iterator[Engine]:
        yield HereEngine()

    monkeypatch.setattr("gfvc.batch.run.open_engine", opened)
