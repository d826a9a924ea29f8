"""The animated head: what is in the file, and where its points come to lie."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

import gfvc
from gfvc.exporting.reading import BETWEEN, decoded_faces
from gfvc.stream.reader import read_face_stream
from models import default_registry
from models.contract import FloatArray
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.published.cards import fv2v
from tests.gfvc.conftest import CodeClip
from tests.gfvc.exporting.conftest import steps, write_stream
from tests.gfvc.support import CommandLine, assert_refused, no_notes

pytest.importorskip("pygltflib", reason="pygltflib is not installed; it comes with gfvc[avatar]")

_KINDS = {5126: ("<f4", 4), 5123: ("<u2", 2)}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass
class Glb:
    """A file taken apart by the layout of the standard (glTF 2.0, 4.4), not by who wrote it."""

    document: dict[str, Any]
    blob: bytes

    def array(self, accessor: int) -> FloatArray:
        told = self.document["accessors"][accessor]
        view = self.document["bufferViews"][told["bufferView"]]
        kind, size = _KINDS[told["componentType"]]
        width = _WIDTHS[told["type"]]
        start = view.get("byteOffset", 0)
        assert view["byteLength"] == told["count"] * width * size
        data = self.blob[start : start + view["byteLength"]]
        return np.frombuffer(data, kind).reshape(-1, width).astype(np.float64)

    def track(self, path: str) -> tuple[FloatArray, FloatArray]:
        animation = self.document["animations"][0]
        channel = next(c for c in animation["channels"] if c["target"]["path"] == path)
        sampler = animation["samplers"][channel["sampler"]]
        assert sampler["interpolation"] == "LINEAR"
        return self.array(sampler["input"])[:, 0], self.array(sampler["output"])

    def landmarks(self, times: FloatArray) -> FloatArray:
        """Where the file's camera sees the points [times, 478, 2], in picture widths."""
        mesh = self.document["meshes"][0]
        primitive = mesh["primitives"][0]
        rest = self.array(primitive["attributes"]["POSITION"])
        targets = [self.array(target["POSITION"]) for target in primitive["targets"]]
        keys, moved = self.track("translation")
        turns = Slerp(keys, Rotation.from_quat(self.track("rotation")[1]))
        grown = self.track("scale")[1]
        weights = self.track("weights")[1].reshape(len(keys), len(targets))
        lens = self.document["cameras"][0]["orthographic"]
        found = []
        for time in np.clip(times, keys[0], keys[-1]):
            at = [
                np.array([np.interp(time, keys, column) for column in track.T])
                for track in (moved, grown, weights)
            ]
            points = rest + np.tensordot(at[2], np.stack(targets), 1)
            points = turns(time).apply(points * at[1]) + at[0]
            found.append(0.5 + points[:, :2] * (1, -1) / (2 * lens["xmag"]))
        return np.stack(found)


def read(path: Path) -> Glb:
    data = path.read_bytes()
    magic, version, size, length, kind = struct.unpack("<4sIII4s", data[:20])
    assert (magic, version, size, kind) == (b"glTF", 2, len(data), b"JSON")
    document = json.loads(data[20 : 20 + length])
    rest = data[20 + length :]
    stored, kind = struct.unpack("<I4s", rest[:8])
    assert kind == b"BIN\0"
    assert document["buffers"][0]["byteLength"] <= stored
    return Glb(document, rest[8 : 8 + stored])


def exported(stream: Path, folder: Path, **options: Any) -> tuple[Glb, gfvc.ExportSummary]:
    output = folder / "head.glb"
    chosen = gfvc.ExportOptions(**options)
    summary = gfvc.export(stream, output, chosen, notes=no_notes, force=True)
    return read(output), summary


def seen(path: Path, model: str) -> FloatArray:
    """Landmarks [pictures, 478, 2] as the decoder draws them."""
    loaded = default_registry().find(model).load()
    stream = read_face_stream(path, no_notes)
    faces = decoded_faces(path, stream, loaded, gfvc.ExportOptions(), no_notes)
    return np.stack([face.landmarks for face in faces if face.landmarks is not None])[..., :2]


def eye_distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """Mean distance of landmarks over that of the eyes, a number a picture."""
    eyes = first[:, RIGHT_EYE_OUTER_CORNER] - first[:, LEFT_EYE_OUTER_CORNER]
    apart = np.linalg.norm(first - second, axis=2).mean(axis=1)
    found: FloatArray = apart / np.linalg.norm(eyes, axis=1)
    return found


def test_the_head_is_where_the_decoder_draws_it(tmp_path: Path, small_stream: Path) -> None:
    glb, _ = exported(small_stream, tmp_path)
    drawn = seen(small_stream, "face")
    assert len(drawn) == 12
    apart = eye_distances(drawn, glb.landmarks(np.arange(12) / 25))
    # Exactly for the first key picture; others show the face a little otherwise, which eight
    # expressions cannot tell.
    assert apart[:4].max() < 1e-4
    assert apart.max() < 0.02


def test_between_coded_pictures_too(tmp_path: Path, sequence: Path) -> None:
    glb, summary = exported(sequence, tmp_path)
    drawn = seen(sequence, "mesh")
    # The last coded picture drives nothing, and is not drawn.
    times = np.arange(len(drawn)) / 25
    assert eye_distances(drawn, glb.landmarks(times)).max() < 0.015
    still = np.repeat(drawn[:1], len(drawn), axis=0)
    assert eye_distances(drawn, still).max() > 0.04
    assert summary.decoded


def test_key_frames_stand_at_messages(tmp_path: Path, hevc_stream: Path) -> None:
    glb, summary = exported(hevc_stream, tmp_path)
    gfvc.export(hevc_stream, tmp_path / "values.npz", notes=no_notes)
    kinds = np.load(tmp_path / "values.npz")["kind"]
    stated = np.flatnonzero(kinds != BETWEEN)
    times, _ = glb.track("rotation")
    assert summary.key_frames == len(times)
    assert set(stated) <= set(np.rint(times * 25).astype(int))
    assert times[-1] == pytest.approx(29 / 25)


def test_a_stream_of_few_messages_has_few_key_frames(tmp_path: Path, sequence: Path) -> None:
    _, summary = exported(sequence, tmp_path)
    assert summary.key_frames is not None
    assert summary.key_frames < summary.pictures / 2


def test_the_mesh_is_478_landmarks_and_their_triangles(tmp_path: Path, small_stream: Path) -> None:
    glb, _ = exported(small_stream, tmp_path)
    mesh = glb.document["meshes"][0]
    assert mesh["extras"]["targetNames"] == [f"expression_{n}" for n in range(1, 9)]
    names = [material["name"] for material in glb.document["materials"]]
    assert names == ["face", "eyes", "mouth"]
    counts = []
    for primitive in mesh["primitives"]:
        points = glb.array(primitive["attributes"]["POSITION"])
        normals = glb.array(primitive["attributes"]["NORMAL"])
        assert points.shape == normals.shape == (478, 3)
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
        triangles = glb.array(primitive["indices"]).astype(int).reshape(-1, 3)
        counts.append(len(triangles))
        across = np.cross(
            points[triangles[:, 1]] - points[triangles[:, 0]],
            points[triangles[:, 2]] - points[triangles[:, 0]],
        )
        # The face looks along z.
        assert (across[:, 2] > 0).mean() > 0.95
    assert counts == [852, 28, 18]
    # Outer eye corners of adults are some 9 cm apart.
    eyes = points[RIGHT_EYE_OUTER_CORNER] - points[LEFT_EYE_OUTER_CORNER]
    assert 0.075 < np.linalg.norm(eyes) < 0.105
    # The person's left is at positive x.
    assert eyes[0] < 0


def test_bounds_are_told_as_the_standard_wants(tmp_path: Path, small_stream: Path) -> None:
    glb, _ = exported(small_stream, tmp_path)
    primitive = glb.document["meshes"][0]["primitives"][0]
    inputs = [sampler["input"] for sampler in glb.document["animations"][0]["samplers"]]
    positions = [primitive["attributes"]["POSITION"]]
    positions += [target["POSITION"] for target in primitive["targets"]]
    for accessor in {*inputs, *positions}:
        told, values = glb.document["accessors"][accessor], glb.array(accessor)
        assert told["min"] == pytest.approx(values.min(axis=0))
        assert told["max"] == pytest.approx(values.max(axis=0))


def test_the_texture_is_the_decoded_key_picture(code_demo: CodeClip, tmp_path: Path) -> None:
    coded = code_demo("ffmpeg-libx265")
    glb, _ = exported(coded.path, tmp_path, texture=True)
    (image,) = glb.document["images"]
    view = glb.document["bufferViews"][image["bufferView"]]
    start = view["byteOffset"]
    png = np.frombuffer(glb.blob[start : start + view["byteLength"]], np.uint8)
    shown = cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(shown, coded.decoded[0])
    (primitive,) = glb.document["meshes"][0]["primitives"]
    seen_at = glb.array(primitive["attributes"]["TEXCOORD_0"])
    # In the first picture each point shows what is there.
    assert glb.landmarks(np.zeros(1))[0] == pytest.approx(seen_at, abs=1e-4)


def test_without_pictures_the_average_face_moves(tmp_path: Path, hevc_stream: Path) -> None:
    own, _ = exported(hevc_stream, tmp_path)
    average, summary = exported(hevc_stream, tmp_path, messages_only=True)
    assert not summary.decoded
    first, second = (
        glb.array(glb.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
        for glb in (own, average)
    )
    # It is symmetric, and nobody is.
    sides = [second[point, 0] for point in (RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER)]
    assert sides[0] == pytest.approx(-sides[1], abs=1e-5)
    assert np.abs(first - second).max() > 0.002
    for path in ("rotation", "translation"):
        assert own.track(path)[1][:15] == pytest.approx(average.track(path)[1][:15], abs=0.01)


def test_a_model_of_pose_alone_turns_the_average_head(tmp_path: Path) -> None:
    card = fv2v()[0]
    rows = steps(card, 3)
    rows[:, :9] = np.eye(3).ravel()
    glb, _ = exported(write_stream(tmp_path / "made.266", card, rows), tmp_path)
    paths = {channel["target"]["path"] for channel in glb.document["animations"][0]["channels"]}
    assert paths == {"translation", "rotation", "scale"}
    assert "extras" not in glb.document["meshes"][0] or not glb.document["meshes"][0]["extras"]


def test_without_pygltflib_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, command: CommandLine, small_stream: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    out = tmp_path / "head.glb"
    assert_refused(
        command, "export", small_stream, out, folder=tmp_path, says=[str(out), "gfvc[avatar]"]
    )
