"""The three networks, in full size, against the reference's golden arrays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.parity.check import check_parity, checked_families
from tools.parity.comparison import Verdict


# About 15 s each (FV2V 25 s and 1.6 GB) on two free cores; much longer beside other work.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", checked_families())
def test_every_golden_array_agrees(shared: Path, name: str) -> None:
    results = check_parity(name, shared / "parity")
    assert [result for result in results if result.verdict.is_failure] == []
    compared = {result.name for result in results if result.verdict is Verdict.OK}
    assert {"images_u8", "mid.occlusion_map", "pred_float.u8", "codec.f2.symbols"} <= compared
    assert {"pred_symbols_f3.u8", "variant_goluck_f3.u8"} <= compared
    assert not any(result.verdict is Verdict.ABSENT for result in results)
