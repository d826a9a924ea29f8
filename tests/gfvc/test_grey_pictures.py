from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.colour import is_grey, without_colour
from gfvc.demo_clip import RATE
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.video_writer import write_video
from models import default_registry
from models.contract import Picture
from tests.gfvc.support import decode_all, mean_difference


def spread(picture: Picture) -> int:
    """How far channels are apart anywhere."""
    return int(np.ptp(picture.astype(int), axis=2).max())


@pytest.mark.parametrize("model", ["face", "mesh"])
def test_a_grey_face_stays_grey(demo_pictures: list[Picture], tmp_path: Path, model: str) -> None:
    grey = [without_colour(picture) for picture in demo_pictures[:12]]
    clip = write_video(tmp_path / "grey.mkv", grey, RATE)
    encode(clip, tmp_path / "out.265", EncodeOptions(model=model))
    decoded = decode_all(tmp_path / "out.265")
    assert len(decoded) == 12
    assert max(spread(picture) for picture in decoded) == 0
    assert mean_difference(decoded[11], grey[11]) < 9.0


def test_colour_is_drawn_from_a_coloured_key_picture(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mkv", demo_pictures[:4], RATE)
    encode(clip, tmp_path / "out.265")
    assert min(spread(picture) for picture in decode_all(tmp_path / "out.265")) > 100


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
def test_what_is_nearly_grey_is_coded_without_chroma(
    demo_pictures: list[Picture], codec: str
) -> None:
    """As grey video looks after a lossy codec."""
    noise = np.random.default_rng(0).integers(-2, 3, demo_pictures[0].shape)
    nearly = np.clip(without_colour(demo_pictures[0]).astype(int) + noise, 0, 255)
    assert spread(nearly.astype(np.uint8)) > 0
    assert is_grey(nearly.astype(np.uint8))
    base = BaseLayerCoder(codec, RATE)  # type: ignore[arg-type]
    coded = base.code([nearly.astype(np.uint8)], SequenceQps(32))
    assert spread(coded.picture(0)) == 0


def test_a_grey_picture_with_red_lips_is_not_grey(demo_pictures: list[Picture]) -> None:
    picture = without_colour(demo_pictures[0])
    picture[150:160, 120:140] = (170, 60, 70)
    assert not is_grey(picture)


def test_between_grey_references_pictures_are_grey(demo_pictures: list[Picture]) -> None:
    model = default_registry().find("mesh").load()
    colour = demo_pictures[0]
    grey = without_colour(colour)
    with model.open_analyser() as analyser:
        found = analyser.analyse_key(colour)
    assert found is not None
    parameters = found.parameters
    ready = {is_grey(key): prepare_key(model, key, parameters) for key in (colour, grey)}
    spreads = {
        sides: spread(pair_keys(model, *(ready[side] for side in sides)).animate(parameters, 0.5))
        for sides in [(True, True), (True, False), (False, True), (False, False)]
    }
    assert spreads.pop((True, True)) == 0
    assert min(spreads.values()) > 30
