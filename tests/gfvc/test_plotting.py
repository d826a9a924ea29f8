from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc.errors import StreamError
from gfvc.figures import drawing, logarithmic
from gfvc.plotting import StreamCurves, collect_curves, draw_curves
from gfvc.stream.reader import read_face_stream
from sei import (
    GENERATIVE_FACE_VIDEO,
    FaceValues,
    SeiMessage,
    make_sei_nal_unit,
    split_annex_b,
)
from sei.inspection import InspectedMessage, inspect_units
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    face_messages,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS
from tests.sei.test_older_draft import BASE, DRIVEN


def test_curves_have_a_row_for_each_picture(small_stream: Path) -> None:
    units = list(split_annex_b(small_stream.read_bytes()))
    curves = collect_curves(inspect_units(units))
    assert list(curves.key_pictures) == [0, 4, 8]
    assert len(curves.pictures) == len(curves.matrices.lengths) == 12
    assert all(curves.matrices.lengths)
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
    curves = collect_curves(
        inspect_units(split_annex_b((shared / f"vectors/gfv/{name}.266").read_bytes()))
    )
    with drawing() as pyplot:
        figure = draw_curves(pyplot, curves, name)
        pyplot.close(figure)
    assert [(axes.get_ylabel(), len(axes.lines)) for axes in figure.axes] == list(expected)
    *panels, bits = figure.axes
    # A line in each for the one key picture, beside the curves.
    assert [len(keys.get_segments()) for axes in panels for keys in axes.collections] == [
        1 for _ in panels
    ]
    heights = [
        [np.ptp(bar.vertices[:, 1]) for bar in bars.get_paths()] for bars in bits.collections
    ]
    assert heights == [list(curves.face_bits), list(curves.base_bits)]


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
    curves = collect_curves(inspect_units(split_annex_b(small_stream.read_bytes())))
    with drawing() as pyplot:
        features, _ = draw_curves(pyplot, curves, "small").axes
    received = [
        inspected.values.matrices[0]
        for inspected in inspect_units(nal_units(small_stream))
        if isinstance(inspected, InspectedMessage) and inspected.values is not None
    ]
    (drawn, *_) = features.lines
    assert list(drawn.get_xdata()) == list(curves.pictures)
    step = 2.0 ** -received[0].precision_factor
    assert list(drawn.get_ydata()) == [group.matrices[0][0][0] * step for group in received]


def test_a_stream_without_face_messages_says_so(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    stream = tmp_path / "stream.265"
    write_units(stream, (unit for unit in nal_units(small_stream) if not unit.is_suffix_sei))
    says = f"{stream}: holds no generative face video messages to draw"
    output = tmp_path / "curves.png"
    assert_refused(command, "inspect", stream, "--plot", output, folder=tmp_path, says=says)


@pytest.fixture
def damaged(small_stream: Path, tmp_path: Path) -> Path:
    """A stream of whose messages the third cannot be read."""
    units = nal_units(small_stream)
    number = [number for number, unit in enumerate(units) if unit.is_suffix_sei][2]
    message = SeiMessage(GENERATIVE_FACE_VIDEO, b"\xff")
    units[number] = make_sei_nal_unit([message], units[number].codec)
    return write_units(tmp_path / "damaged.265", units)


@pytest.mark.parametrize("more", [(), ("--summary",)])
def test_damaged_messages_are_reported(
    damaged: Path, tmp_path: Path, more: tuple[str, ...], command: CommandLine
) -> None:
    output = tmp_path / "curves.png"
    outcome = command("inspect", damaged, "--plot", output, *more)
    assert outcome.status == 1
    assert outcome.err.count("error: ") == 1
    assert outcome.err.startswith(f"error: {damaged}: NAL unit ")
    assert output.exists()


def test_a_stream_is_drawn_up_to_the_limit_of_messages(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "curves.png"
    outcome = command("inspect", small_stream, "--plot", output, "--max-messages", "1")
    assert outcome.status == 1
    assert "160 elements of messages, 32 at least in each of a face: the rest is not" in outcome.err
    assert output.exists()


def test_the_syntax_of_hm_18_is_drawn(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    """By the standard's, one of these messages cannot be read."""
    output = tmp_path / "curves.png"
    units = [unit for unit in nal_units(small_stream) if not unit.is_suffix_sei]
    messages = [SeiMessage(GENERATIVE_FACE_VIDEO, payload) for payload in (BASE, DRIVEN)]
    draft = make_sei_nal_unit(messages, units[0].codec)
    stream = write_units(tmp_path / "draft.265", [*units, draft])
    outcome = command("inspect", stream, "--plot", output, "--draft", "hm18")
    assert (outcome.status, outcome.err) == (0, "")
    assert command("inspect", stream, "--plot", output, "--force").status == 1


def test_only_selected_messages_are_drawn(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "curves.png"
    outcome = command("inspect", small_stream, "--plot", output, "--payload", "5")
    assert "holds no generative face video messages to draw" in outcome.err
    assert command("inspect", small_stream, "--plot", output, "--payload", "223").status == 0


def test_many_pictures_are_drawn_in_columns_of_pixels() -> None:
    """With what each column holds at least and at most: a drawing costs no more for them."""
    curves, count = StreamCurves(), 50_000
    numbers = np.random.default_rng(1).integers(-1000, 1000, count).tolist()
    for picture, number in enumerate(numbers):
        values = FaceValues(((number, -number),), 10)
        curves.add(picture, values, 100 + picture % 7, 1000 * (picture % 100 == 3))
        if picture % 2:
            curves.key_pictures.append(picture)
    with drawing() as pyplot:
        x, _, bits = draw_curves(pyplot, curves, "many").axes
    (line,), (keys,) = x.lines, x.collections
    assert len(line.get_xdata()) <= 4 * 2048
    assert len(keys.get_segments()) <= 2048
    drawn = line.get_ydata()
    assert (drawn.min(), drawn.max()) == (min(numbers) / 1024, max(numbers) / 1024)
    face, base = (
        np.array([bar.vertices[:4, 1] for bar in b.get_paths()]) for b in bits.collections
    )
    assert len(face) == len(base) <= 2048
    assert (face.min(), face.max()) == (0, 106)
    assert base.max() == max(1100 + picture % 7 for picture in range(3, count, 100))
    assert np.count_nonzero(np.ptp(base, axis=1)) == count // 100


def test_plotting_standard_input_is_refused(tmp_path: Path, command: CommandLine) -> None:
    outcome = command("inspect", "-", "--plot", tmp_path / "curves.png")
    assert outcome.status == 1
    assert "give a file" in outcome.err


@pytest.mark.parametrize("name", ["vvc_mesh_marked.266", "vvc_face_fallback.266"])
def test_ordinary_video_counts(name: str) -> None:
    """Between pictures with faces; each of its pictures has the bits that it was coded in."""
    path = STREAMS / name
    stream = read_face_stream(path, no_notes)
    curves = collect_curves(inspect_units(split_annex_b(path.read_bytes())))
    starts = np.cumsum([0, *(unit.pictures for unit in stream.units)])
    ordinary = [
        int(at)
        for at, unit in zip(starts, stream.units, strict=False)
        if unit.shown_as_coded and unit.part is None
    ]
    assert ordinary
    without = [
        picture
        for picture, length in zip(curves.pictures, curves.matrices.lengths, strict=True)
        if not length
    ]
    assert without == ordinary
    assert all(
        bits for at, bits in zip(curves.pictures, curves.base_bits, strict=True) if at in ordinary
    )
    driving = [(at, unit) for at, unit in zip(starts, stream.units, strict=False) if unit.messages]
    keys = [int(at) + unit.output_place(0) for at, unit in driving]
    assert list(curves.key_pictures) == keys
    assert max(curves.pictures) < stream.pictures


def test_ordinary_video_is_bounded_too() -> None:
    units = list(split_annex_b((STREAMS / "hevc_fallback_always.265").read_bytes()))
    count = len(collect_curves(inspect_units(units)).pictures)
    assert count > 10
    assert collect_curves(inspect_units(units), count).base_bits
    with pytest.raises(StreamError, match=f"asks for more than {count - 1} pictures"):
        collect_curves(inspect_units(units), count - 1)
