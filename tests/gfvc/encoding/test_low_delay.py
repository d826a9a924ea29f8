"""Low delay: when the bytes of a picture are there."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc import EncodeOptions
from gfvc.encoding.clip import LOW_DELAY_SECONDS, Clip
from gfvc.encoding.passes import open_pass
from gfvc.encoding.planner import LOST_SECONDS
from gfvc.encoding.work_done import WorkDone
from gfvc.rate_control.ladder import Coding, settings_asked_for
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.writer import StreamWriter
from gfvc.telling import unheard
from models.contract import Picture
from models.landmarks.face_space import shipped_face_space
from models.mesh.card import CARD
from models.mesh.model import MeshModel

RATE = 25
BLACK: Picture = np.zeros((256, 256, 3), np.uint8)


def units_when_taken(pictures: list[Picture]) -> list[int]:
    """Output pictures that are in the stream after each picture that the encoder takes."""
    options = EncodeOptions(model="mesh", low_delay=True, crop="none")
    information = StreamInformation(Fraction(RATE), 256, 256, Rectangle(0, 0, 256, 256))
    model = MeshModel(shipped_face_space())
    clip = Clip(Path("clip"), options, "hevc", model, CARD, information, (256, 256), None)
    settings = settings_asked_for(options, Coding("hevc"))
    file = io.BytesIO()
    writer = StreamWriter(file, "hevc", information, low_delay=True)
    sent = []
    with clip.model.open_analyser() as analyser:
        work = WorkDone(unheard, seen_is_all=True)
        with open_pass(clip, settings, writer, analyser, work) as coding:
            for number, picture in enumerate(pictures):
                before = len(file.getvalue())
                coding.take(number, picture)
                grown = len(file.getvalue()) > before
                sent.append(sum(coding.executor.pictures_of_units))
                assert grown == (sent[-1] > (sent[-2] if number else 0))
            coding.finish()
        assert sum(coding.executor.pictures_of_units) == len(pictures)
    return sent


def test_a_face_is_sent_when_it_is_taken(demo_pictures: list[Picture]) -> None:
    pictures = demo_pictures[:8]
    assert units_when_taken(pictures) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_what_waits_without_a_face(demo_pictures: list[Picture]) -> None:
    blink = [*demo_pictures[:3], BLACK, BLACK, *demo_pictures[3:5]]
    assert len(blink[3:5]) < LOST_SECONDS * RATE
    assert units_when_taken(blink) == [1, 2, 3, 3, 3, 6, 7]
    away = [*demo_pictures[:2], *[BLACK] * (RATE * LOW_DELAY_SECONDS + 7)]
    sent = units_when_taken(away)
    delays = [
        next(n for n, count in enumerate(sent) if count > place) - place for place in range(RATE)
    ]
    assert max(delays) <= RATE * LOW_DELAY_SECONDS + LOST_SECONDS * RATE
