"""Values by picture as .json and .npz: those that `gfvc inspect` tells, and what is between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfvc
from gfvc.editing import json_lines
from gfvc.exporting.numbers import value_names
from models import ModelCard
from models.face.card import with_features
from models.landmarks.face_space import values_to_pose
from models.landmarks.values import UNITS
from models.published.cards import cfte, fomm, fv2v
from tests.gfvc.exporting.conftest import steps, write_stream
from tests.gfvc.support import CommandLine, assert_refused, no_notes


def exported(path: Path, folder: Path, suffix: str = ".json", **options: Any) -> Any:
    output = folder / f"{path.stem}{suffix}"
    chosen = gfvc.ExportOptions(**options)
    gfvc.export(path, output, chosen, notes=no_notes, force=True)
    return json.loads(output.read_text()) if suffix == ".json" else np.load(output)


def inspected(path: Path, command: CommandLine) -> list[list[float]]:
    """Numbers of each face message, in the order of the stream."""
    lines = [json.loads(line) for line in command("inspect", path, "--json").out.splitlines()]
    return [
        np.concatenate([np.ravel(matrix["values"]) for matrix in values["matrices"]]).tolist()
        for line in lines
        if (values := line.get("values"))
    ]


def test_values_at_messages_are_those_of_inspect(
    hevc_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    pictures = exported(hevc_stream, tmp_path)["pictures"]
    stated = [p["values"] for p in pictures if p["kind"] in ("key", "message")]
    assert stated == inspected(hevc_stream, command)
    assert [p["kind"] for p in pictures].count("key") == 2
    assert [p["time"] for p in pictures] == pytest.approx([n / 25 for n in range(30)])
    assert [p["against"] for p in pictures] == [0] * 15 + [1] * 15


def test_head_and_expression_follow_from_the_values(hevc_stream: Path, tmp_path: Path) -> None:
    found = exported(hevc_stream, tmp_path)
    for picture in found["pictures"]:
        values = np.array(picture["values"]) * UNITS
        # Where the nose points, in picture coordinates, and in terms of the angles.
        ahead = values_to_pose(values[:6]).rotation @ (0, 0, -1)
        yaw, pitch = np.radians(picture["head"][:2])
        assert ahead[0] == pytest.approx(np.sin(yaw) * np.cos(pitch))
        assert ahead[1] == pytest.approx(np.sin(pitch))
        assert picture["head"][3:] == pytest.approx([*values[3:5], np.exp(values[5])])
        assert picture["expression"] == pytest.approx(values[6:])
    assert len(found["values"]) == 14


def test_npz_and_json_say_the_same(sequence: Path, tmp_path: Path) -> None:
    arrays = exported(sequence, tmp_path, ".npz")
    pictures = exported(sequence, tmp_path)["pictures"]
    for name in ("values", "head", "expression", "time", "kind", "against"):
        told = [picture[name] for picture in pictures]
        assert np.array_equal(arrays[name], np.array(told)), name
    assert arrays["value_names"].tolist() == value_names(with_features(0).layout)
    assert float(arrays["fps"]) == 25


def test_what_goes_straight_is_asked_of_the_decoder(sequence: Path, tmp_path: Path) -> None:
    arrays = exported(sequence, tmp_path, ".npz")
    assert np.isfinite(arrays["values"]).all()
    kinds = arrays["kind"].tolist()
    assert kinds.count("coded") >= 3
    notes: list[str] = []
    options = gfvc.ExportOptions(messages_only=True)
    output = tmp_path / "alone.npz"
    summary = gfvc.export(sequence, output, options, notes=notes.append)
    alone = np.load(output)
    known = np.isfinite(alone["values"]).all(axis=1)
    assert not known.all()
    assert summary.unknown == (~known).sum()
    assert len(notes) == 1
    assert f"{summary.unknown} pictures have no message" in notes[0]
    # What messages say is the same, however it is read.
    assert np.array_equal(alone["values"][known], arrays["values"][known])
    assert alone["kind"].tolist() == kinds


def test_messages_go_back_where_they_were(
    sequence: Path, tmp_path: Path, command: CommandLine
) -> None:
    for command_line in (
        ("export", sequence, tmp_path / "all.json"),
        ("remove", sequence, tmp_path / "base.265"),
        ("inject", tmp_path / "base.265", tmp_path / "all.json", tmp_path / "again.265"),
    ):
        outcome = command(*command_line)
        assert outcome.status == 0, outcome.err
    assert f"the same bytes as {sequence.name}" in outcome.err
    assert (tmp_path / "again.265").read_bytes() == sequence.read_bytes()


@pytest.mark.parametrize("indent", [None, 2])
def test_a_changed_export_is_read_as_json(
    hevc_stream: Path, tmp_path: Path, command: CommandLine, indent: int | None
) -> None:
    found = exported(hevc_stream, tmp_path)
    for message in found["messages"]:
        del message["place"]
    found["stream"]["base"] = None
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(found, indent=indent))
    command("remove", hevc_stream, tmp_path / "base.265")
    outcome = command("inject", tmp_path / "base.265", changed, tmp_path / "out.265")
    assert outcome.status == 0, outcome.err
    assert inspected(tmp_path / "out.265", command) == inspected(hevc_stream, command)


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"sort_keys": True}])
def test_an_export_may_be_much_longer_than_a_message(
    hevc_stream: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    layout: dict[str, Any],
) -> None:
    """As that of an hour is."""
    monkeypatch.setattr(json_lines, "MAX_LINE_SIZE", 2000)
    monkeypatch.setattr(json_lines, "MAX_PARTS", 100)
    found = exported(hevc_stream, tmp_path)
    found["pictures"] *= 100
    path, base, out = tmp_path / "long.json", tmp_path / "base.265", tmp_path / "out.265"
    path.write_text(json.dumps(found, **layout))
    command("remove", hevc_stream, base)
    outcome = command("inject", base, path, out)
    assert outcome.status == 0, outcome.err
    assert out.read_bytes() == hevc_stream.read_bytes()
    found["pictures"][7]["values"] = [0] * 120
    path.write_text(json.dumps(found, **layout))
    says = "long.json: picture 7: holds more than 100 values"
    assert_refused(command, "inject", base, path, tmp_path / "no.265", folder=tmp_path, says=says)
    found["pictures"].clear()
    found["messages"][2]["payload"] *= 1000
    path.write_text(json.dumps(found, **layout))
    says = "long.json: messages[2], at byte"
    assert_refused(command, "inject", base, path, tmp_path / "no.265", folder=tmp_path, says=says)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda found: found.pop("messages"), "messages is not a list"),
        (lambda found: found.pop("stream"), "holds no messages to put back"),
        (lambda found: found["messages"][3].update(payload="xy"), "message 3: payload is not"),
        (lambda found: found["messages"].append(7), "is not an object"),
    ],
)
def test_a_spoilt_export_is_refused(
    hevc_stream: Path, tmp_path: Path, command: CommandLine, spoil: Any, says: str
) -> None:
    found = exported(hevc_stream, tmp_path)
    spoil(found)
    (tmp_path / "spoilt.json").write_text(json.dumps(found))
    out = tmp_path / "out.265"
    outcome = command("inject", hevc_stream, tmp_path / "spoilt.json", out)
    assert outcome.status == 1
    assert says in outcome.err.splitlines()[-1]
    assert not out.exists()


def test_of_a_container_there_are_values_and_no_messages(in_mp4: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    gfvc.export(in_mp4, tmp_path / "out.json", notes=notes.append)
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["stream"] is None
    assert found["messages"] == []
    assert len(found["pictures"]) == 12
    assert "is a container" in notes[0]


@pytest.mark.parametrize(
    "card", [*fomm(), *cfte(), *fv2v(), with_features(2)], ids=lambda card: card.name
)
@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_values_of_every_layout_are_told(card: ModelCard, suffix: str, tmp_path: Path) -> None:
    rows = steps(card, 4)
    if card.name == "fv2v":
        rows[:, :9] = np.eye(3).ravel()
    path = write_stream(tmp_path / "made.266", card, rows)
    found = exported(path, tmp_path, suffix)
    if suffix == ".npz":
        assert np.array_equal(found["values"], rows)
        assert len(found["value_names"]) == card.layout.size
    else:
        assert [picture["values"] for picture in found["pictures"]] == rows.tolist()
        assert len(set(found["values"])) == card.layout.size
        assert found["model"] == card.name


def test_values_of_an_unknown_model_are_told(tmp_path: Path) -> None:
    card = fomm()[0]
    rows = steps(card, 3)
    path = write_stream(tmp_path / "made.266", card, rows)
    path.write_bytes(path.read_bytes().replace(b"gfvc:fomm", b"else:fomm"))
    found = exported(path, tmp_path)
    assert found["model"] is None
    assert [picture["values"] for picture in found["pictures"]] == rows.tolist()


def test_a_stream_in_another_layout_has_the_models_values(
    hevc_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    points = tmp_path / "points.265"
    assert command("transcode", hevc_stream, points, "--layout", "keypoints").status == 0
    before, after = (exported(path, tmp_path, ".npz") for path in (hevc_stream, points))
    assert np.array_equal(before["values"], after["values"])
    assert np.array_equal(before["head"], after["head"])
