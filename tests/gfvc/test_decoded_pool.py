"""Which coded pictures are drawn from together, and which squares a further face has before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from gfvc.decoded_pool import AsCoded, CodedPicture, DecodedPool, Span
from gfvc.decoded_units import decode_units
from gfvc.face_square import FaceSquare
from gfvc.further_faces import FurtherFaces
from gfvc.stream.picture_units import FaceMessage, FurtherFaceUnit, PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.stream.sequence import SequenceSchedule
from models import AnimationModel, default_registry
from models.contract import (
    Analyser,
    Ends,
    FaceParameters,
    HeadTrust,
    ParameterLayout,
    Picture,
    Reference,
    ReferencePair,
)
from sei import FaceValues
from tests.gfvc.support import no_notes
from tests.golden.files import STREAMS

NOTHING = FaceParameters()


class _Reference(Reference):
    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def take_texture(self, key: Reference, coded: Picture) -> Picture | None:
        """Of this key picture: red of its level."""
        assert isinstance(key, _Reference)
        textured = coded.copy()
        textured[..., 0] = key.picture[0, 0, 0]
        return textured

    def animate(self, parameters: FaceParameters) -> Picture:
        return self.picture


class _Pair(ReferencePair):
    def __init__(self, *levels: int) -> None:
        self.levels = levels
        self.trust = HeadTrust.AS_FILMED

    def trust_head(self, trust: HeadTrust) -> None:
        self.trust = trust

    @property
    def ends(self) -> Ends:
        return NOTHING, NOTHING

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        raise NotImplementedError


class _Model(AnimationModel):
    """Tells which coded pictures, by their levels, are paired."""

    def __init__(self) -> None:
        self.pairs: list[_Pair] = []

    @property
    def layout(self) -> ParameterLayout:
        raise NotImplementedError

    def open_analyser(self, align: bool | None = None) -> Analyser:
        raise NotImplementedError

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        return _Reference(key_picture)

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        assert isinstance(earlier, _Reference)
        assert isinstance(later, _Reference)
        self.pairs.append(_Pair(*(int(each.picture[0, 0, 0]) for each in (earlier, later))))
        return self.pairs[-1]


def _coded(level: int, sequence: SequenceSchedule, number: int) -> CodedPicture:
    """A coded picture of a level, coloured, as the schedule of its sequence has it."""
    part = sequence.part(number)
    base = FaceMessage(FaceValues(), 9)
    unit = PictureUnit(part=part, hidden=part.hidden, messages=[base])
    unit.announce(part.schedule)
    return CodedPicture(unit, np.full((32, 32, 3), (level, 0, 90), np.uint8), NOTHING)


def _parameters(count: int) -> Iterator[FaceParameters]:
    return iter([NOTHING] * count)


@pytest.mark.parametrize(
    ("hidden", "trust"),
    [
        ((), HeadTrust.AS_FILMED),
        ((0,), HeadTrust.NEAR_ITS_WAY),
        ((1,), HeadTrust.NEAR_ITS_WAY),
        ((0, 1), HeadTrust.EDITED),
    ],
)
def test_an_edited_head_does_not_tell_where_all_else_is(
    hidden: tuple[int, ...], trust: HeadTrust
) -> None:
    """A coded picture is hidden where the face was edited; an edit begins or ends beside one."""
    sequence = SequenceSchedule((3, 2), (), 0, True, hidden)
    model = _Model()
    earlier, later = (_coded(level, sequence, number) for number, level in enumerate((10, 20)))
    list(DecodedPool(model).spans(earlier, lambda ends: _parameters(4), later))
    assert [(pair.levels, pair.trust) for pair in model.pairs] == [((10, 20), trust)]


def test_a_hidden_coded_picture_is_drawn_with_the_one_before_it_of_its_own_sequence() -> None:
    first, second = (SequenceSchedule((3, 2), (1,), 0, True, hidden) for hidden in ((), (1,)))
    model = _Model()
    pool = DecodedPool(model)
    last = _coded(30, second, 1)
    list(pool.spans(_coded(10, first, 0), lambda ends: _parameters(4), _coded(20, first, 1)))
    pool.start_sequence()
    list(pool.spans(last, lambda ends: _parameters(3), None))
    assert [pair.levels for pair in model.pairs] == [(10, 20)]
    list(pool.spans(_coded(40, second, 0), lambda ends: _parameters(4), _coded(50, second, 1)))
    list(pool.spans(last, lambda ends: _parameters(3), None))
    assert [pair.levels for pair in model.pairs[1:]] == [(40, 50), (30, 40)]


def _levels(spans: Iterator[Span]) -> list[int]:
    """Of what is shown as coded."""
    shown = (span.draw() for span in spans if isinstance(span, AsCoded))
    return [int(picture[0, 0, 0]) for pictures in shown for picture in pictures]


def test_coded_pictures_take_texture_of_the_key_picture_of_their_sequence() -> None:
    sequence = SequenceSchedule((3, 2, 0), (1,), 0, True)
    pool = DecodedPool(_Model())
    first, second, last = (
        _coded(level, sequence, place) for place, level in enumerate((10, 20, 30))
    )
    assert _levels(pool.spans(first, lambda ends: _parameters(4), second)) == [10]
    assert _levels(pool.spans(second, lambda ends: _parameters(3), last)) == [10]
    # The last drives nothing: it is shown as it helped to draw the ones before.
    assert pool.shown(last.unit, last.picture)[0, 0, 0] == 10
    assert pool.shown(second.unit, second.picture) is second.picture
    pool.start_sequence()
    assert _levels(pool.spans(second, lambda ends: _parameters(3), last)) == [20], "entered here"


@pytest.mark.parametrize("name", ["vvc_mesh_sequence.266", "vvc_mesh_two.266"])
def test_what_is_coded_first_is_shown_as_decoded(name: str) -> None:
    path = STREAMS / name
    stream = read_face_stream(path, no_notes)
    assert stream.model_uri is not None
    model = default_registry().find_uri(stream.model_uri).load()
    changed = []
    for decoded in decode_units(path, stream, model):
        assert decoded.unit.part is not None
        shown = next(begun() for begun in decoded.begin())
        change = np.abs(shown.astype(int) - decoded.picture)
        changed.append(bool(change.any()))
        assert change.mean() < 4, "it is the same picture"
    assert len(changed) > 2
    assert changed == [False, *[True] * (len(changed) - 1)]


def test_decoding_starts_each_sequence_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    path = STREAMS / "vvc_mesh_marked.266"
    stream = read_face_stream(path, no_notes)
    assert stream.model_uri is not None
    numbers = [None if unit.part is None else unit.part.number for unit in stream.units]
    started: list[int] = []
    done: list[int] = []
    monkeypatch.setattr(DecodedPool, "start_sequence", lambda pool: started.append(len(done)))
    model = default_registry().find_uri(stream.model_uri).load()
    for decoded in decode_units(path, stream, model):
        assert list(decoded.begin())
        done.append(1)
    within = [place for place, number in enumerate(numbers) if number]
    assert numbers.index(0, 1) in started
    assert within
    assert not set(within) & set(started)


def _unit(squares: Sequence[FaceSquare], drawn: Sequence[bool]) -> PictureUnit:
    first, *others = squares
    further = (
        FurtherFaceUnit(number, square, is_drawn, PictureUnit())
        for number, (square, is_drawn) in enumerate(zip(others, drawn, strict=True), 1)
    )
    return PictureUnit(face_square=first, further=tuple(further))


def test_only_faces_that_are_drawn_keep_their_part_from_those_after_them() -> None:
    squares = [FaceSquare(left, 0, 32) for left in (0, 32, 64, 96)]
    faces = FurtherFaces(_Model(), Path("of a test"), repack=False)
    picture = np.zeros((32, 128, 3), np.uint8)
    over = faces.over((_unit(squares, [False, True, True]), picture), None)
    assert [face.square for face in over] == squares[2:]
    assert [face.before for face in over] == [(squares[0],), (squares[0], squares[2])]
