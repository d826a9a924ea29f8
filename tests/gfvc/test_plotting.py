from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from gfvc.errors import StreamError
from gfvc.plotting import collect_curves, plot_stream
from sei import split_annex_b
from tests.gfvc.support import CommandLine, face_messages


def test_curves_have_a_row_for_each_picture(small_stream: Path) -> None:
    units = list(split_annex_b(small_stream.read_bytes()))
    curves = collect_curves(units)
    assert curves.key_pictures == [0, 4, 8]
    assert len(curves.values) == 12
    sent = sum(8 * len(m.to_bytes()) for unit in units for m in face_messages(unit))
    assert sum(curves.face_bits) == sent
    assert sum(curves.base_bits) == sum(8 * unit.size for unit in units if not unit.is_sei)
    assert [index for index, bits in enumerate(curves.base_bits) if bits] == [0, 4, 8]


def test_the_picture_is_a_png(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    output = tmp_path / "curves.png"
    outcome = command("inspect", small_stream, "--plot", output)
    assert (outcome.status, outcome.out) == (0, "")
    assert cv2.imread(str(output)).shape[1] > 500


@pytest.mark.parametrize("name", ["kps2d_affine", "gfve_pupils", "compact_4x4"])
def test_the_vectors_can_be_drawn(shared: Path, tmp_path: Path, name: str) -> None:
    data = (shared / "vectors/gfv" / f"{name}.266").read_bytes()
    plot_stream(split_annex_b(data), tmp_path / "curves.png", name)
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_a_stream_without_face_messages_says_so(small_stream: Path, tmp_path: Path) -> None:
    units = [unit for unit in split_annex_b(small_stream.read_bytes()) if not unit.is_suffix_sei]
    with pytest.raises(StreamError, match="no generative face video"):
        plot_stream(units, tmp_path / "curves.png", "stream")


def test_plotting_standard_input_is_refused(tmp_path: Path, command: CommandLine) -> None:
    outcome = command("inspect", "-", "--plot", tmp_path / "curves.png")
    assert outcome.status == 1
    assert "give a file" in outcome.err
