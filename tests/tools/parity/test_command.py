"""The command and the check on a small pack of a stand-in network."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from models.family import FAMILIES, Family
from tools.parity.__main__ import main
from tools.parity.check import check_parity
from tools.parity.comparison import Verdict
from tools.parity.filling import filled_array, synthetic_pictures
from tools.parity.observations import Observations
from tools.parity.pack import ParityPackError, Scenario

Edit = Callable[[dict[str, Any], dict[str, Any]], None]
MakePack = Callable[..., Path]

SHAPES: dict[str, tuple[int, ...]] = {"weight": (2, 2), "bias": (2,)}


class StandIn(nn.Module):
    """A network with the one entry ``scale``."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(2, 2)


def observe(weights: Mapping[str, Tensor], pictures: Tensor, scenario: Scenario) -> Observations:
    observations = Observations()
    observations.add("mid.weight", weights["scale.weight"])
    observations.add_picture("pred_float", pictures[:1])
    observations.add("mid.scenario", np.array([len(scenario.variants)]))
    return observations


def filled(key: str, salt: str) -> Any:
    return filled_array(f"scale.{key}", SHAPES[key], "float32", salt)


@pytest.fixture
def make_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePack:
    """Write ``stand-in.json`` and ``stand-in.npz``, edited at will, and register the network."""
    row = Family("stand-in", tuple, build=lambda variant, names: StandIn(), parity=observe)
    monkeypatch.setitem(FAMILIES, row.name, row)

    def make(edit: Edit | None = None, salt: str = "") -> Path:
        golden = {"images_u8": synthetic_pictures(salt), "mid.weight": filled("weight", salt)}
        description: dict[str, Any] = {
            "entries": {"scale": [[key, list(shape), "float32"] for key, shape in SHAPES.items()]},
            "fill_crc32": {f"scale.{key}": zlib.crc32(filled(key, "").tobytes()) for key in SHAPES},
            "golden_keys": {key: [] for key in golden},
        }
        if edit is not None:
            edit(description, golden)
        (tmp_path / "stand-in.json").write_text(json.dumps(description))
        np.savez(tmp_path / "stand-in.npz", **golden)
        return tmp_path

    return make


def test_a_pack_that_agrees(make_pack: MakePack) -> None:
    results = check_parity("stand-in", make_pack())
    assert [result.verdict for result in results] == [Verdict.OK, Verdict.OK]


def test_a_pack_of_another_salt(make_pack: MakePack) -> None:
    folder = make_pack(salt="other")
    # The checksums are those of the empty salt, which the check must not ask for here.
    results = check_parity("stand-in", folder, "other")
    assert [result.verdict for result in results] == [Verdict.OK, Verdict.OK]
    assert {result.verdict for result in check_parity("stand-in", folder)} == {Verdict.FAILED}


def test_variants_reach_the_run(make_pack: MakePack) -> None:
    def edit(_: dict[str, Any], golden: dict[str, Any]) -> None:
        golden["variant_a_b_f3.u8"] = golden["variant_a_b_f3.crop"] = np.zeros(1)
        golden["variant_c_f3.u8"] = np.zeros(1)
        golden["mid.scenario"] = np.array([2])

    results = check_parity("stand-in", make_pack(edit))
    verdicts = {result.name: result.verdict for result in results}
    assert verdicts["mid.scenario"] is Verdict.OK
    assert verdicts["variant_c_f3.u8"] is Verdict.NOT_COMPARED


def drop_entry(description: dict[str, Any], _: dict[str, Any]) -> None:
    del description["entries"]["scale"][1]


def add_entry(description: dict[str, Any], _: dict[str, Any]) -> None:
    description["entries"]["scale"].append(["extra", [1], "float32"])


def reshape_entry(description: dict[str, Any], _: dict[str, Any]) -> None:
    description["entries"]["scale"][1][1] = [3]


def wrong_checksum(description: dict[str, Any], _: dict[str, Any]) -> None:
    description["fill_crc32"]["scale.bias"] += 1


def no_checksum(description: dict[str, Any], _: dict[str, Any]) -> None:
    del description["fill_crc32"]["scale.bias"]


def no_entries(description: dict[str, Any], _: dict[str, Any]) -> None:
    del description["entries"]


def add_text(_: dict[str, Any], golden: dict[str, Any]) -> None:
    golden["mid.text"] = np.array(["one"])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (add_text, r"mid\.text has dtype <U3: want numbers"),
        (drop_entry, r"1 tensors differ: unknown to the pack: scale\.bias"),
        (add_entry, r"1 tensors differ: missing in the network: scale\.extra"),
        (reshape_entry, r"scale\.bias: .*\(2,\).* in the network, .*\(3,\).* in the pack"),
        (wrong_checksum, r"scale\.bias: CRC-32"),
        (no_checksum, r"scale\.bias: CRC-32"),
        (no_entries, r"stand-in\.json: not a parity pack"),
    ],
)
def test_packs_of_other_networks_are_refused(make_pack: MakePack, edit: Edit, message: str) -> None:
    with pytest.raises(ParityPackError, match=message):
        check_parity("stand-in", make_pack(edit))


def test_damaged_files_are_refused(make_pack: MakePack) -> None:
    folder = make_pack()
    arrays, description = folder / "stand-in.npz", folder / "stand-in.json"
    arrays.write_bytes(arrays.read_bytes()[:-100])
    with pytest.raises(ParityPackError, match=r"stand-in\.npz: not an archive"):
        check_parity("stand-in", folder)
    arrays.unlink()
    with pytest.raises(ParityPackError, match=r"stand-in\.npz: No such file"):
        check_parity("stand-in", folder)
    description.write_text("{")
    with pytest.raises(ParityPackError, match=r"stand-in\.json: not a parity pack"):
        check_parity("stand-in", folder)


def test_arrays_that_swell_are_refused_before_they_are_read(make_pack: MakePack) -> None:
    folder = make_pack()
    arrays = folder / "stand-in.npz"
    np.savez_compressed(arrays, zeros=np.zeros(1 << 24))
    with pytest.raises(ParityPackError, match="its arrays are more than 64 times its size"):
        check_parity("stand-in", folder)
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({1 << 40},)}}".ljust(117) + "\n"
    with zipfile.ZipFile(arrays, "w") as archive:
        archive.writestr("claim.npy", b"\x93NUMPY\1\0\x76\0" + header.encode() + bytes(64))
    with pytest.raises(ParityPackError, match=r"claim\.npy claims more numbers than it has"):
        check_parity("stand-in", folder)


def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(["stand-in", "--pack", str(folder)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_command_prints_a_table_and_exits_0(
    make_pack: MakePack, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(make_pack(), capsys)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["array", "max", "error", "limit", "verdict"]
    assert lines[2].split()[:2] == ["mid.weight", "0.0e+00"]
    assert lines[2].endswith("ok")
    assert lines[-1] == "stand-in: 2 ok"


def spoil(_: dict[str, Any], golden: dict[str, Any]) -> None:
    golden["mid.weight"] = golden["mid.weight"] + 1


def add_unknown(_: dict[str, Any], golden: dict[str, Any]) -> None:
    golden["mid.novelty"] = np.zeros(1)


def empty(_: dict[str, Any], golden: dict[str, Any]) -> None:
    golden.clear()


@pytest.mark.parametrize(
    ("edit", "summary"),
    [
        (spoil, "stand-in: 1 ok, 1 FAILED"),
        (add_unknown, "stand-in: 2 ok, 1 NOT COMPARED"),
        (empty, "stand-in: 2 absent"),
    ],
)
def test_command_exits_1_on_disagreement(
    make_pack: MakePack, capsys: pytest.CaptureFixture[str], edit: Edit, summary: str
) -> None:
    status, out, _ = run(make_pack(edit), capsys)
    assert status == 1
    assert out.splitlines()[-1] == summary


def test_module_runs_and_reports_a_missing_pack(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.parity", "fomm", "--pack", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"fomm: {tmp_path}/fomm.json: No such file or directory\n"
