"""Streams of the networks: what is analysed arrives exactly, and is drawn as the encoder would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, InputError, encode
from gfvc.decoder import decode_pictures
from gfvc.demo_clip import RATE
from gfvc.errors import StreamError
from gfvc.parameter_coding import to_parameters, to_values
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.video_writer import write_video
from models import Analysis, FaceParameters, ModelError
from models.contract import Picture
from models.published.model import NetworkModel
from sei import FaceValues
from tests.gfvc.networks.conftest import registry_of
from tests.gfvc.support import no_notes
from tests.models.published.tiny import CARDS, tiny_model

OPTIONS = EncodeOptions(base_encoder="ffmpeg-libx265", crop="none", key_interval=3, low_delay=True)


class Recorder:
    """Notes what the encoder has analysed: pictures, whether key pictures, and the results."""

    def __init__(self, model: NetworkModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures: list[tuple[Picture, bool]] = []
        self.parameters: list[FaceParameters] = []
        describe = model.describe

        def recorded(picture: Picture, key: Analysis | None) -> Analysis:
            analysis = describe(picture, key)
            self.pictures.append((picture, key is None))
            self.parameters.append(analysis.parameters)
            return analysis

        monkeypatch.setattr(model, "describe", recorded)

    def values(self, model: NetworkModel) -> list[FaceValues]:
        """What a receiver should have: each picture quantised against the one before."""
        values: list[FaceValues] = []
        for parameters, (_, is_key) in zip(self.parameters, self.pictures, strict=True):
            before = None if is_key else values[-1]
            values.append(to_values(parameters, model.layout, before))
        return values


@pytest.fixture(scope="session")
def five_pictures(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    path = tmp_path_factory.mktemp("clip") / "five.mkv"
    return write_video(path, demo_pictures[:5], RATE)


def test_parameters_arrive_exactly_and_pictures_are_those_of_the_encoder(
    name: str,
    model: NetworkModel,
    five_pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder(model, monkeypatch)
    path = tmp_path / "stream.265"
    options = replace(OPTIONS, model=name)
    summary = encode(five_pictures, path, options, registry=registry_of(model, name))
    assert (summary.frames, summary.key_pictures, summary.low_confidence_pictures) == (5, 2, 0)

    stream = read_face_stream(path, no_notes)
    assert stream.model_uri == CARDS[name].uri
    received = [values for unit in stream.units for values in unit.values()]
    expected = recorder.values(model)
    assert received == expected
    assert len(set(map(str, received))) > 3  # The parameters move.

    drawn = []
    for (picture, is_key), values in zip(recorder.pictures, expected, strict=True):
        parameters = to_parameters(values, model.layout, path)
        if is_key:
            reference = model.prepare(picture, parameters)
            drawn.append(picture)
        else:
            drawn.append(reference.animate(parameters))
    decoder = tiny_model(CARDS[name])
    decoded = list(decode_pictures(path, stream, decoder))
    assert len(decoded) == 5
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(drawn, decoded, strict=True))


def test_steps_are_those_of_the_research_software() -> None:
    steps = {
        name: (2.0**-card.layout.coordinate_precision, 2.0**-card.layout.matrix_precision)
        for name, card in CARDS.items()
    }
    assert steps["fomm"] == (1 / 64, 1 / 64)
    assert steps["cfte"][1] == 1 / 4
    assert steps["fv2v"][1] == 1 / 256
    assert steps["fv2v-keypoints"][0] == 1 / 256


def test_a_face_that_is_lost_stands_still(demo_pictures: list[Picture], tmp_path: Path) -> None:
    black = np.zeros_like(demo_pictures[0])
    pictures = [*demo_pictures[:2], black, black, *demo_pictures[2:4]]
    clip = write_video(tmp_path / "lost.mkv", pictures, RATE)
    options = EncodeOptions(
        base_encoder="ffmpeg-libx265", crop="none", model="cfte", fallback="never"
    )
    model = tiny_model(CARDS["cfte"])
    summary = encode(clip, tmp_path / "lost.265", options, registry=registry_of(model, "cfte"))
    assert summary.low_confidence_pictures == 2
    black_clip = write_video(tmp_path / "black.mkv", [black] * 2, RATE)
    with pytest.raises(InputError, match="no face"):
        encode(black_clip, tmp_path / "black.265", options, registry=registry_of(model, "cfte"))


def test_other_sizes_are_refused_before_anything_is_coded(
    name: str, model: NetworkModel, five_pictures: Path, tmp_path: Path
) -> None:
    options = EncodeOptions(crop="none", size=128, model=name)
    with pytest.raises(ModelError, match=f"{name} works on pictures of 256x256 only, not 128x128"):
        encode(five_pictures, tmp_path / "x.265", options, registry=registry_of(model, name))
    assert list(tmp_path.iterdir()) == []


def test_what_messages_leave_out_stays_out_in_finer_steps(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    model = tiny_model(CARDS["fomm"])
    registry = registry_of(model, "fomm")
    clip = write_video(tmp_path / "clip.mkv", demo_pictures[:10], RATE)
    stream, fine = tmp_path / "stream.265", tmp_path / "fine.265"
    options = EncodeOptions(
        base_encoder="ffmpeg-libx265", crop="none", model="fomm", symbol_price=0.3
    )
    encode(clip, stream, options, registry=registry)
    carried = [
        (values.keypoints is not None, bool(values.matrices))
        for unit in read_face_stream(stream, no_notes).units
        for values in unit.values()
    ]
    assert (True, True) in carried
    assert not all(keypoints and matrices for keypoints, matrices in carried)

    assert transcode(stream, fine, precision=12, registry=registry).largest_change == 0
    drawn = [
        list(decode_pictures(path, read_face_stream(path, no_notes), model))
        for path in (stream, fine)
    ]
    assert all(map(np.array_equal, *drawn))
    with pytest.raises(StreamError, match="separate-parts"):
        transcode(stream, tmp_path / "compact.265", "compact", registry=registry)
    assert not (tmp_path / "compact.265").exists()
