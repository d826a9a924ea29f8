"""The encoder decides as it did, byte for byte, and not by the last digit of a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.decisions import SCENARIOS, tell
from tests.golden.files import DECISIONS, check_names, check_text

SHAKE = 1e-9


def test_there_are_these_and_no_others() -> None:
    check_names(DECISIONS, [f"{name}.txt" for name in SCENARIOS])


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_encoder_decides_what_it_did(name: str, tmp_path: Path) -> None:
    """Once as measured, once a billionth off: a golden must not be the machine's own."""
    path = DECISIONS / f"{name}.txt"
    for shake in (0.0, SHAKE):
        check_text(path, tell(SCENARIOS[name], tmp_path, shake))
