"""The encoder decides as it did, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.decisions import SCENARIOS, tell, tell_surely
from tests.golden.files import DECISIONS, check_names, check_text


def test_there_are_these_and_no_others() -> None:
    check_names(DECISIONS, [f"{name}.txt" for name in SCENARIOS])


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_encoder_decides_what_it_did(name: str, tmp_path: Path) -> None:
    check_text(DECISIONS / f"{name}.txt", tell(SCENARIOS[name], tmp_path))


def test_what_hangs_by_a_hair_becomes_no_golden(tmp_path: Path) -> None:
    """Goldens are the same on every machine: what rounding could change is refused."""
    scenario = SCENARIOS["plain"]
    assert tell_surely(scenario, tmp_path) == tell(scenario, tmp_path)
    with pytest.raises(ValueError, match="hangs by a hair"):
        tell_surely(scenario, tmp_path, shake=0.02)
