"""What cannot be exported is refused in one line, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gfvc
from gfvc.errors import StreamError
from gfvc.stream.reader import read_face_stream
from models import ModelCard
from models.published.cards import cfte, fomm, fv2v
from tests.gfvc.exporting.conftest import steps, write_stream
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    nal_units,
    no_notes,
    of_network,
    write_units,
)
from tests.golden.files import STREAMS


@pytest.mark.parametrize("card", [*fomm(), *cfte(), fv2v()[1]], ids=lambda card: card.name)
@pytest.mark.parametrize("suffix", [".csv", ".glb", ".bvh"])
def test_models_without_a_head_pose(
    card: ModelCard, suffix: str, tmp_path: Path, command: CommandLine
) -> None:
    path = write_stream(tmp_path / "made.266", card, steps(card, 2))
    out = tmp_path / f"out{suffix}"
    says = [str(path), f"the parameters of {card.name} do not say", ".json"]
    assert_refused(command, "export", path, out, folder=tmp_path, says=says)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("out.fbx", [], "no suffix of an export; use one of .csv, .glb, .bvh, .json, .npz"),
        ("out", [], "no suffix of an export"),
        ("out.csv", ["--texture"], "only a .glb has a texture"),
        ("out.glb", ["--texture", "--messages-only"], "leave out --messages-only"),
        ("gone/out.csv", [], "does not exist"),
    ],
)
def test_names_and_options(
    name: str, options: list[str], says: str, small_stream: Path, tmp_path: Path,
    command: CommandLine,
) -> None:  # fmt: skip
    out = tmp_path / name
    assert_refused(command, "export", small_stream, out, *options, folder=tmp_path, says=says)


def test_what_came_from_a_container_is_not_put_back(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    container, exported = STREAMS / "hevc_mesh_keys.mp4", tmp_path / "motion.json"
    assert command("export", container, exported).status == 0
    given = (small_stream, exported, tmp_path / "out.265")
    says = "holds no messages to put back"
    assert_refused(command, "inject", *given, folder=tmp_path, says=says)


def test_nothing_is_replaced_unasked(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    out = tmp_path / "out.bvh"
    out.write_text("mine")
    assert_refused(command, "export", small_stream, out, folder=tmp_path, says="exists already")
    assert command("export", small_stream, out, "--force").status == 0
    assert out.read_text().startswith("HIERARCHY")


def test_a_video_is_no_stream(demo_clip: Path, tmp_path: Path, command: CommandLine) -> None:
    out = tmp_path / "out.csv"
    assert_refused(command, "export", demo_clip, out, folder=tmp_path, says="holds no VVC")


def test_ordinary_video_has_no_motion(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / "plain.265"
    gfvc.encode(short_clip, path, gfvc.EncodeOptions(fallback="always"))
    says = "holds no face messages"
    assert_refused(command, "export", path, tmp_path / "o.json", folder=tmp_path, says=says)


def test_where_the_messages_were_removed_nothing_is_left_to_export(
    sequence: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / "plain.265"
    assert command("remove", sequence, path).status == 0
    says = "holds no generative face video messages"
    assert_refused(command, "export", path, tmp_path / "o.json", folder=tmp_path, says=says)


def test_a_texture_wants_landmarks(tmp_path: Path) -> None:
    card = fv2v()[0]
    rows = steps(card, 2)
    rows[:, :9] = np.eye(3).ravel()
    path = write_stream(tmp_path / "made.266", card, rows)
    with pytest.raises(gfvc.InputError, match="knows no landmarks"):
        gfvc.export(path, tmp_path / "out.glb", gfvc.ExportOptions(texture=True))


def test_a_cut_stream_is_exported_up_to_the_cut(hevc_stream: Path, tmp_path: Path) -> None:
    data = hevc_stream.read_bytes()
    cut = tmp_path / "cut.265"
    cut.write_bytes(data[: len(data) - 40])
    notes: list[str] = []
    summary = gfvc.export(cut, tmp_path / "out.csv", notes=notes.append)
    assert 15 <= summary.pictures < 30
    assert "cut off" in notes[0]


def test_damaged_messages_are_an_error(hevc_stream: Path, tmp_path: Path) -> None:
    data = bytearray(hevc_stream.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    damaged = tmp_path / "damaged.265"
    damaged.write_bytes(data)
    with pytest.raises((StreamError, gfvc.InputError)):
        gfvc.export(damaged, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_the_summary_as_json(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    outcome = command("export", small_stream, tmp_path / "out.csv", "--json")
    found = json.loads(outcome.out)
    assert found["pictures"] == 12
    assert found["unknown"] == 0
    assert found["model"] == "mesh"
    assert found["decoded"] is True
    assert "JawOpen" in found["shapes"]
    assert len(found["shapes"]) + len(found["without_rule"]) == 52
    assert found["key_frames"] is None


def test_progress_is_told(small_stream: Path, tmp_path: Path) -> None:
    steps_done: list[tuple[int, int | None]] = []
    gfvc.export(small_stream, tmp_path / "out.npz", progress=lambda *done: steps_done.append(done))
    assert steps_done == [(number, 12) for number in range(1, 13)]


@pytest.mark.parametrize("suffix", [".csv", ".glb", ".json", ".bvh", ".npz"])
def test_every_export_refuses_whole_pictures_without_a_face_square(
    suffix: str, tmp_path: Path, command: CommandLine
) -> None:
    """As where user data were removed."""
    wide = STREAMS / "vvc_mesh_two.266"
    units = [unit for unit in nal_units(wide) if not unit.is_prefix_sei]
    units = [of_network(unit, "gfvc:face:2") for unit in units]
    path = write_units(tmp_path / "lost.266", units)
    out = tmp_path / f"out{suffix}"
    outcome = command("export", path, out)
    assert outcome.status == 1
    assert "coded pictures of 448x224 drive a face, and no user data" in outcome.err
    assert not out.exists()
    # Messages alone ask for no picture.
    assert command("export", path, out, "--messages-only").status == 0


@pytest.mark.parametrize("suffix", [".csv", ".json", ".bvh"])
def test_every_export_refuses_pictures_of_two_sizes(
    suffix: str, small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    other = nal_units(STREAMS / "hevc_mesh_full_keys.265")
    uri = read_face_stream(small_stream, no_notes).model_uri
    units = [*nal_units(small_stream), *(of_network(unit, uri) for unit in other)]
    path = write_units(tmp_path / "sizes.265", units)
    says = ["change", "from 256x256", "to 64x64"]
    assert_refused(command, "export", path, tmp_path / f"out{suffix}", folder=tmp_path, says=says)
