"""The inspector counts the pictures that the decoder makes, whatever the stream looks like."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc import GfvcError, StreamError
from gfvc.stream.information import find_information
from gfvc.stream.picture_count import PictureCount
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from sei import Codec, NalUnit, SeiError, split_annex_b
from sei.inspection import inspect_units
from tests.gfvc.editing.streams import Faces, sei_unit, slice_unit
from tests.gfvc.support import CommandLine, nal_units, stating, write_units
from tests.golden.files import STREAMS

GOLDEN = sorted(path.name for path in STREAMS.iterdir() if path.suffix in (".265", ".266", ".mp4"))


def counted(units: Iterable[NalUnit]) -> int:
    """Pictures by the count alone; units that raise break off there."""
    count = PictureCount()
    try:
        for inspected in inspect_units(units):
            count.see(inspected)
    except SeiError:
        count.is_cut = True
    return count.pictures


@pytest.mark.parametrize("name", GOLDEN)
def test_every_kind_of_stream_counts_as_decoded(name: str, command: CommandLine) -> None:
    path = STREAMS / name
    stream = read_face_stream(path, lambda _: None)
    summary = json.loads(command("inspect", path, "--summary", "--json").out)
    assert summary["pictures"] == stream.pictures
    assert stream.rate is not None
    seconds = stream.pictures / float(stream.rate)
    assert summary["kbps"] == pytest.approx(8 * summary["bytes"] / seconds / 1000)


@pytest.mark.parametrize(
    "name",
    [
        "vvc_mesh_sequence.266",
        "hevc_mesh_fallback.265",
        "vvc_mesh_low_delay.266",
        "vvc_mesh_pool.266",
    ],
)
def test_every_cut_counts_as_decoded(name: str, tmp_path: Path) -> None:
    data = (STREAMS / name).read_bytes()
    cut = tmp_path / name
    decoded = []
    ends = [0]
    for unit in nal_units(STREAMS / name):
        ends.append(ends[-1] + unit.size)
    # Within its header a NAL unit is cut only as the file ends; the last bytes hold its trailing.
    for length in sorted({end + more for end in ends for more in (-1, 0, 5, 9, 40)}):
        cut.write_bytes(data[: max(length, 0)])
        try:
            pictures = read_face_stream(cut, lambda _: None).pictures
        except GfvcError:
            continue
        assert counted(split_annex_b(cut.read_bytes())) == pictures, length
        decoded.append(pictures)
    assert len(set(decoded)) > 2


@pytest.mark.parametrize(
    "name", ["vvc_mesh_sequence.266", "hevc_mesh_fallback.265", "vvc_mesh_edited.266"]
)
@pytest.mark.parametrize("change", ["twice", "lost", "joined", "user data at the end", "other"])
def test_changed_streams_count_as_decoded(name: str, change: str, tmp_path: Path) -> None:
    units = nal_units(STREAMS / name)
    stated = [unit for unit in units if unit.is_sei and find_information(unit) is not None]
    faces = [unit for unit in units if unit.is_suffix_sei]
    others = "hevc_mesh_fallback.265" if name.startswith("hevc") else "vvc_mesh_two.266"
    changed = {
        "twice": [copy for unit in units for copy in [unit] * (1 + (unit in stated))],
        "lost": [unit for unit in units if unit is not faces[-1]],
        "joined": units + nal_units(STREAMS / others),
        "user data at the end": [*units, stated[0]],
        # What is overridden before a picture comes says nothing.
        "other": [stating(stated[-1], rate=Fraction(30)), *units],
    }[change]
    path = write_units(tmp_path / name, changed)
    if change == "lost" and len(faces) == 1:
        with pytest.raises(StreamError, match="holds no generative face video messages"):
            read_face_stream(path, lambda _: None)
        return
    assert counted(nal_units(path)) == read_face_stream(path, lambda _: None).pictures
    if change == "twice":
        found = {finding.severity for finding in verify_stream(path)}
        assert found <= {Severity.INFORMATION, Severity.WARNING}, "decoders take it"


def test_pictures_without_messages_or_user_data_count() -> None:
    """As in streams of other encoders, where a picture has the face of another, or none."""
    face = sei_unit(*Faces().run(1), codec=Codec.HEVC)
    coded = slice_unit(Codec.HEVC)
    assert counted([coded, face, coded, coded, face]) == 3
    assert counted([coded, coded]) == 2
    # In H.264 messages come before their picture.
    ahead = sei_unit(*Faces().run(3), codec=Codec.AVC)
    assert counted([ahead, slice_unit(Codec.AVC), ahead, slice_unit(Codec.AVC)]) == 6


def test_the_count_does_not_depend_on_what_is_shown(command: CommandLine) -> None:
    path = STREAMS / "vvc_mesh_sequence.266"
    pictures = read_face_stream(path, lambda _: None).pictures
    for types in ("5", "219", "223", "1"):
        summary = json.loads(
            command("inspect", path, "--summary", "--json", "--payload", types).out
        )
        assert summary["pictures"] == pictures
        assert all(f"({types})" in name for name in summary["messages"])


@pytest.mark.parametrize("rate", [Fraction(1001), Fraction(1, 2)])
def test_a_rate_out_of_range_is_told(
    small_stream: Path, tmp_path: Path, command: CommandLine, rate: Fraction
) -> None:
    units = [stating(unit, rate=rate) for unit in nal_units(small_stream)]
    path = write_units(tmp_path / "rate.265", units)
    text = f"gfvc's user data message states {rate} pictures per second, which must be within"
    for options in (["--summary"], ["--json"], []):
        outcome = command("inspect", path, *options)
        assert outcome.status == 1
        assert outcome.err.startswith(f"error: {path}: NAL unit 3: {text} 1..1000")
        assert outcome.err.count("\n") == 1
