"""Streams of all kinds: what is exported has a row for each picture that a decoder shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gfvc
from gfvc.exporting.reading import BETWEEN, CODED, KEY, MESSAGE, ORDINARY
from gfvc.stream.reader import read_face_stream
from models.landmarks.values import UNITS
from sei import SeiMessage, join_annex_b, make_sei_nal_unit, split_annex_b
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    hiding,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS

GOLDEN = sorted(path for path in STREAMS.iterdir() if path.suffix in (".265", ".266"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_there_is_a_row_for_each_picture(path: Path, tmp_path: Path) -> None:
    stream = read_face_stream(path, lambda _: None)
    if not stream.draws:
        pytest.skip("ordinary video alone")
    summary = gfvc.export(path, tmp_path / "out.npz")
    found = np.load(tmp_path / "out.npz")
    assert summary.pictures == len(found["kind"]) == stream.pictures
    assert set(found["kind"]) <= {KEY, CODED, MESSAGE, BETWEEN, ORDINARY}
    ordinary = found["kind"] == ORDINARY
    assert ordinary.sum() == stream.pictures_as_coded
    assert np.array_equal(ordinary, np.isnan(found["values"]).any(axis=1))
    assert np.unique(found["against"]).max() < len(stream.units)
    # A picture has the head that its values say; in other layouts, none.
    if "head" in found and found["values"].shape[1] >= 14:
        values = found["values"][~ordinary, :14] * UNITS
        assert found["head"][~ordinary, 3:] == pytest.approx(
            np.column_stack([values[:, 3:5], np.exp(values[:, 5])])
        )


def test_a_hidden_coded_picture_has_no_row_but_lends_its_face(
    small_stream: Path, tmp_path: Path
) -> None:
    hidden = write_units(tmp_path / "hidden.265", map(hiding, nal_units(small_stream)))
    done: list[tuple[int, int | None]] = []
    for name, path in (("all", small_stream), ("shown", hidden)):
        gfvc.export(path, tmp_path / f"{name}.npz", notes=no_notes)
        gfvc.export(path, tmp_path / f"{name}.csv", notes=no_notes)
    gfvc.export(
        hidden, tmp_path / "again.csv", notes=no_notes, progress=lambda *step: done.append(step)
    )
    assert done[-1] == (9, 9)
    full, shown = (np.load(tmp_path / f"{name}.npz") for name in ("all", "shown"))
    driven = full["kind"] != KEY
    assert driven.sum() == 9
    for name in ("values", "head", "against", "kind"):
        assert np.array_equal(shown[name], full[name][driven]), name
    # The person's own lips, not the average face's.
    rows, kept = (
        np.loadtxt(tmp_path / f"{name}.csv", delimiter=",", skiprows=1, usecols=range(2, 63))
        for name in ("all", "shown")
    )
    jaw = 17
    assert kept[:, jaw] == pytest.approx(rows[driven, jaw])


def test_leading_pictures_come_first(sequence: Path, tmp_path: Path) -> None:
    stream = read_face_stream(sequence, no_notes)
    gfvc.export(sequence, tmp_path / "out.npz", notes=no_notes)
    kinds = np.load(tmp_path / "out.npz")["kind"].tolist()
    assert kinds.index(KEY) == stream.units[0].leading
    assert kinds.count(CODED) == len(stream.units) - 1


def test_what_may_not_drive_faces_is_refused(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = list(split_annex_b(small_stream.read_bytes()))
    first = next(number for number, unit in enumerate(units) if unit.is_vcl)
    payload = UsageRestrictions((Restriction(1),)).to_payload()
    message = SeiMessage(AI_USAGE_RESTRICTIONS, payload)
    units[first:first] = [make_sei_nal_unit([message], units[0].codec, suffix=False)]
    path, out = tmp_path / "in.265", tmp_path / "out.csv"
    path.write_bytes(join_annex_b(units))
    says = ["(aur_restriction 1)", "--ignore-restrictions"]
    assert_refused(command, "export", path, out, folder=tmp_path, says=says)
    assert command("export", path, out, "--ignore-restrictions").status == 0
