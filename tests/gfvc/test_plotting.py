from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc.errors import StreamError
from gfvc.figures import drawing, logarithmic
from gfvc.plotting import collect_curves, draw_curves, plot_stream
from gfvc.stream.reader import read_face_stream
from sei import split_annex_b
from tests.gfvc.support import CommandLine, face_messages, no_notes
from tests.golden.files import STREAMS


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
    assert output.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    drawn = cv2.imread(str(output))
    assert drawn.shape[1] == 1100
    # Feature curves and their bits, one below the other: both halves have colours.
    for half in np.array_split(drawn, 2):
        assert len(np.unique(half.reshape(-1, 3), axis=0)) > 20


def test_a_plot_replaces_no_other_file(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"dear to me")
    outcome = command("inspect", small_stream, "--plot", video, "--force")
    assert outcome.status == 1
    assert f"{video}: a plot is a PNG file; give it a name on .png" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert video.read_bytes() == b"dear to me"


KEYPOINTS = ("keypoints, x", 10), ("keypoints, y", 10)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kps2d_affine", (*KEYPOINTS, ("affine translation", 40), ("bits", 0))),
        ("gfve_pupils", (*KEYPOINTS, ("bits", 0))),
        ("compact_4x4", (("compact feature", 16), ("bits", 0))),
    ],
)
def test_what_the_vectors_have_is_drawn(
    shared: Path, name: str, expected: tuple[tuple[str, int], ...]
) -> None:
    curves = collect_curves(split_annex_b((shared / f"vectors/gfv/{name}.266").read_bytes()))
    with drawing() as pyplot:
        figure = draw_curves(pyplot, curves, name)
        pyplot.close(figure)
    # A line in each for the one key picture, beside the curves.
    lines = [(axes.get_ylabel(), max(len(axes.lines) - 1, 0)) for axes in figure.axes]
    assert lines == list(expected)
    *_, bits = figure.axes
    pictures = len(curves.pictures)
    heights = [bar.get_height() for bar in bits.patches]
    assert (heights[:pictures], heights[pictures:]) == (curves.face_bits, curves.base_bits)


def test_logarithmic_axes_have_plain_numbers() -> None:
    """matplotlib's own ticks would be formulas, which are not drawn as such."""
    with drawing() as pyplot:
        figure, axes = pyplot.subplots()
        axes.plot([1, 20], [0.004, 0.9])
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        figure.canvas.draw()
        ticks = [
            {label.get_text() for label in axis.get_ticklabels(which="both")}
            for axis in (axes.xaxis, axes.yaxis)
        ]
        scales = axes.get_xscale(), axes.get_yscale()
        pyplot.close(figure)
    assert scales == ("log", "log")
    assert {"1", "2", "5", "10", "20"} <= ticks[0]
    assert {"0.005", "0.01", "0.1"} <= ticks[1]
    assert not any("$" in tick for tick in ticks[0] | ticks[1])


def test_curves_are_the_values_received(small_stream: Path) -> None:
    curves = collect_curves(split_annex_b(small_stream.read_bytes()))
    with drawing() as pyplot:
        features, _ = draw_curves(pyplot, curves, "small").axes
    received = [values.matrices[0] for values in curves.values]
    (drawn, *_) = features.lines
    assert list(drawn.get_xdata()) == curves.pictures
    step = 2.0 ** -received[0].precision_factor
    assert list(drawn.get_ydata()) == [group.matrices[0][0][0] * step for group in received]


def test_a_stream_without_face_messages_says_so(small_stream: Path, tmp_path: Path) -> None:
    units = [unit for unit in split_annex_b(small_stream.read_bytes()) if not unit.is_suffix_sei]
    with pytest.raises(StreamError, match="no generative face video"):
        plot_stream(units, tmp_path / "curves.png", "stream")


def test_plotting_standard_input_is_refused(tmp_path: Path, command: CommandLine) -> None:
    outcome = command("inspect", "-", "--plot", tmp_path / "curves.png")
    assert outcome.status == 1
    assert "give a file" in outcome.err


@pytest.mark.parametrize("name", ["vvc_mesh_marked.266", "vvc_face_fallback.266"])
def test_ordinary_video_counts(name: str) -> None:
    """Between pictures with faces; each of its pictures has the bits that it was coded in."""
    path = STREAMS / name
    stream = read_face_stream(path, no_notes)
    curves = collect_curves(split_annex_b(path.read_bytes()))
    starts = np.cumsum([0, *(unit.pictures for unit in stream.units)])
    ordinary = [
        int(at)
        for at, unit in zip(starts, stream.units, strict=False)
        if unit.shown_as_coded and unit.part is None
    ]
    assert ordinary
    without = [
        picture
        for picture, values in zip(curves.pictures, curves.values, strict=True)
        if not values.matrices
    ]
    assert without == ordinary
    assert all(
        bits for at, bits in zip(curves.pictures, curves.base_bits, strict=True) if at in ordinary
    )
    driving = [(at, unit) for at, unit in zip(starts, stream.units, strict=False) if unit.messages]
    keys = [int(at) + unit.output_place(0) for at, unit in driving]
    assert curves.key_pictures == keys
    assert max(curves.pictures) < stream.pictures


def test_ordinary_video_is_bounded_too() -> None:
    units = list(split_annex_b((STREAMS / "hevc_fallback_always.265").read_bytes()))
    count = len(collect_curves(units).pictures)
    assert count > 10
    assert collect_curves(units, count).base_bits
    with pytest.raises(StreamError, match=f"asks for more than {count - 1} pictures"):
        collect_curves(units, count - 1)
