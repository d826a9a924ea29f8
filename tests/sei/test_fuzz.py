"""A small run of the fuzzer; ``python -m tests.fuzz`` runs longer ones."""

from __future__ import annotations

from tests import fuzz
from tests.conftest import find_shared


def test_damaged_streams_raise_typed_errors_only() -> None:
    report = fuzz.run(2000, seed=1, shared=find_shared())
    assert report.cases == 2000
    # The damage was neither so small nor so great that nothing was tried.
    assert report.messages_read > 1000
    assert sum(report.damaged.values()) > 1000
