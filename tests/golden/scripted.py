"""A base codec, an animation model and a face tracker that read what to find from the pictures.

A picture is uint8 RGB [64, 64, 3] with two rows of cells at its top, 4x4 samples of one of sixteen
greys: digits, which survive a colour conversion. They say which picture it is, whether it shows a
face, and its face parameters. Around a grey face the light of the scene tells scenes apart.

What is decided about such pictures is the same on every machine as long as nothing lies on the
edge of a decision: `ScriptedModel` can shake all that it says by a billionth, and nothing may
change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

import base_codec_adapters.registry as adapters
from base_codec_adapters import (
    BaseDecoder,
    BaseEncoder,
    Codec,
    DecodeRequest,
    DecodeResult,
    EncodeRequest,
    EncodeResult,
    Picture420,
    ProgramInfo,
)
from base_codec_adapters.decoded_pictures import DecodedPictures
from gfvc import base_layer
from gfvc.colour import to_picture420
from models import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    MatrixShape,
    ParameterLayout,
    Reference,
)
from models.contract import FloatArray, Picture
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.landmarks.tracking import FaceTracker
from sei import split_annex_b
from sei.nal import Codec as SeiCodec
from tests.base_codec_adapters.streams import Sps, nal_unit, pps_unit, sps_unit

SIDE = 64
_CELL = 4
_COLUMNS = SIDE // _CELL
# Rows and columns of the grey face, away from the cells.
_FACE = np.s_[24:60, 16:48]
_GREY = 136

# A spot is so high; the values that show it are above all that a face says otherwise.
_SPOT_SIDE = 10
SPOT, SPOT_STEP = 800, 20

CENTRE = 2048
VALUES = 6
_DIGITS_A_NUMBER = 3


@dataclass(frozen=True)
class Shown:
    """What a picture shows.

    `number` 0..4095; `light` 0..15; `values` are `VALUES` numbers 0..4095: the first says how far
    the head is turned, the fifth how badly any key picture draws the face, in hundredths of the
    quality above `CENTRE`. From `CENTRE + SPOT` on, the fourth shows a bright spot
    beside the face, a pixel further down for each `SPOT_STEP`. `survives` says that its coded form
    shows the face.
    """

    number: int
    face: bool = True
    survives: bool = True
    light: int = 4
    values: tuple[int, ...] = (CENTRE,) * VALUES

    def digits(self) -> list[int]:
        """Its cells: flags, light, number, values."""
        numbers = [self.number, *self.values]
        return [
            15 * self.face,
            15 * self.survives,
            self.light,
            *(number >> shift & 15 for number in numbers for shift in (8, 4, 0)),
        ]

    @classmethod
    def from_digits(cls, digits: list[int]) -> Shown:
        """What the cells say."""
        face, survives, light, *rest = digits
        numbers = [
            rest[start] << 8 | rest[start + 1] << 4 | rest[start + 2]
            for start in range(0, (1 + VALUES) * _DIGITS_A_NUMBER, _DIGITS_A_NUMBER)
        ]
        return cls(numbers[0], face > 7, survives > 7, light, tuple(numbers[1:]))

    def draw(self) -> Picture:
        """The picture."""
        plane = np.full((SIDE, SIDE), 16 * self.light + 8, np.uint8)
        plane[_FACE] = _GREY
        spot = self.values[3] - CENTRE - SPOT
        if spot >= 0:
            top = _FACE[0].start + spot // SPOT_STEP
            plane[top : top + _SPOT_SIDE, 50:62:2] = 255
        for place, digit in enumerate(self.digits()):
            top, left = _CELL * (place // _COLUMNS), _CELL * (place % _COLUMNS)
            plane[top : top + _CELL, left : left + _CELL] = 16 * digit + 8
        return np.repeat(plane[..., None], 3, axis=2)


_CELLS = len(Shown(0).digits())


def _read_cells(plane: npt.NDArray[np.uint8], black: float, white: float) -> Shown:
    middle = _CELL // 2
    grey = [
        (float(plane[_CELL * (n // _COLUMNS) + middle, _CELL * (n % _COLUMNS) + middle]) - black)
        * 255
        / (white - black)
        for n in range(_CELLS)
    ]
    return Shown.from_digits([round((level - 8) / 16) for level in grey])


def shown_in(picture: Picture) -> Shown:
    """What a picture of `Shown.draw` shows, before or after coding."""
    return _read_cells(picture[..., 1], 0, 255)


def _shown_in_luma(picture: Picture420) -> Shown:
    return _read_cells(picture.y, 16, 235)


# --- The base codec ---------------------------------------------------------------------------

_MARK = b"\xaf"  # the first bits of a slice of a picture's own


def coded_picture(payload: bytes) -> tuple[Shown, int]:
    """What a coded picture of the scripted codec shows, and its quantisation parameter."""
    return Shown.from_digits(list(payload[2 : 2 + _CELLS])), payload[1]


def _slice_data(shown: Shown, qp: int, size: int) -> bytes:
    data = _MARK + bytes([qp, *shown.digits()])
    # The rest is there to cost bits; no NAL unit ends with zeros.
    return data + bytes(1 + place % 251 for place in range(max(1, size - len(data))))


def _picture_bytes(qp: int, *, intra: bool) -> int:
    """The finer, the larger: half the bytes for six steps of the quantisation parameter."""
    return ((20_000 if intra else 1200) * (12 - qp % 6) // 12) >> (qp // 6)


_PROGRAM = ProgramInfo(Path("scripted"), "scripted 1")
_KINDS: dict[Codec, tuple[int, int]] = {"hevc": (20, 1), "vvc": (8, 0)}  # IDR, trailing


class _ScriptedEncoder(BaseEncoder):
    name = "scripted"
    tried: list[tuple[int, int]]
    lost_at_qp: int

    def find_program(self) -> ProgramInfo:
        return _PROGRAM

    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        raise NotImplementedError

    def encode(self, request: EncodeRequest) -> EncodeResult:
        depth = 10 if self.codec == "vvc" else 8
        stream = sps_unit(self.codec, Sps(SIDE, SIDE, depth)) + pps_unit(self.codec)
        for place, picture in enumerate(request.pictures):
            shown = _shown_in_luma(picture)
            is_key = request.structure == "intra" or (not place and request.key_qp is not None)
            qp = request.qp if place or request.key_qp is None else request.key_qp
            if is_key:
                self.tried.append((shown.number, qp))
            shown = replace(shown, survives=shown.survives and qp < self.lost_at_qp)
            size = _picture_bytes(qp, intra=not place)
            kind = _KINDS[self.codec][place > 0]
            stream += nal_unit(self.codec, kind, _slice_data(shown, qp, size))
        return EncodeResult(stream, self.codec, depth, _PROGRAM.version, ())


class _ScriptedDecoder(BaseDecoder):
    name = "scripted"

    def find_program(self) -> ProgramInfo:
        return _PROGRAM

    def command(
        self, request: DecodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        raise NotImplementedError

    def decode(self, request: DecodeRequest) -> DecodeResult:
        units = [u for u in split_annex_b(request.stream, SeiCodec(self.codec)) if u.is_vcl]
        shown = [coded_picture(unit.rbsp)[0] for unit in units]
        assert request.expected_pictures in (None, len(shown))
        drawn = tuple(to_picture420(replace(s, face=s.face and s.survives).draw()) for s in shown)
        return DecodeResult(cast("DecodedPictures", drawn), 8, _PROGRAM.version, ())


@contextmanager
def scripted_base_codec(
    lost_at_qp: int = 64, shake: float = 0.0
) -> Iterator[list[tuple[int, int]]]:
    """Code with the scripted codec only, and track faces by the script.

    From the quantisation parameter `lost_at_qp` on, coded pictures show no face; landmarks are off
    by the share `shake`. Gives a list of the pictures that were coded as key pictures so far, sent
    or not: number, quantisation parameter.
    """
    tried: list[tuple[int, int]] = []
    encoders, decoders = [], []
    for codec in ("vvc", "hevc"):
        shared = {"codec": codec, "tried": tried, "lost_at_qp": lost_at_qp}
        encoders.append(type("Encoder", (_ScriptedEncoder,), shared))
        decoders.append(type("Decoder", (_ScriptedDecoder,), shared))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters, "ENCODERS", tuple(encoders))
        patch.setattr(adapters, "DECODERS", tuple(decoders))
        # It codes in output order, whatever is asked for, and has no headers that tell.
        patch.setattr(base_layer, "output_places", lambda stream, codec: None)
        patch.setattr(FaceTracker, "look", lambda _, picture: _landmarks(picture, shake))
        yield tried


# --- Faces ------------------------------------------------------------------------------------

_EYES_APART = 0.2
# A little more than it says, so that no quality falls on a limit.
_HUNDREDTH = 0.010137


def _landmarks(picture: Picture, shake: float) -> FloatArray | None:
    """Landmarks [478, 3] within the grey face; moved sideways in a picture that is drawn badly."""
    shown = shown_in(picture)
    if not shown.face:
        return None
    places = np.linspace(0.0, 1.0, 478)
    landmarks: FloatArray = np.stack(
        [0.3 + 0.4 * places, 0.45 + 0.4 * (7 * places % 1.0), 0 * places], axis=1
    )
    landmarks[RIGHT_EYE_OUTER_CORNER] = 0.4, 0.5, 0.0
    landmarks[LEFT_EYE_OUTER_CORNER] = 0.4 + _EYES_APART, 0.5, 0.0
    if shown.number == _DRAWN:
        landmarks[:, 0] += _EYES_APART * _HUNDREDTH * shown.values[0] * (1 + shake)
    return landmarks


_DRAWN = 4095
"""Number of pictures that the model draws; their first value is by how much they are off."""

# Quality, in hundredths, that is lost by a turn of the head by so much.
_TURN = 8

# No value of a picture falls on half a step.
_SCALE = 0.0013713

LAYOUTS = {
    "both": ParameterLayout(
        keypoints=2,
        matrices=(MatrixShape(7, 1, 1, 2),),
        coordinate_precision=8,
        matrix_precision=7,
    ),
    "keypoints": ParameterLayout(keypoints=2, dimensions=3, coordinate_precision=8),
    "matrices": ParameterLayout(
        matrices=(MatrixShape(8, 2, 1, 1), MatrixShape(7, 1, 2, 2)), matrix_precision=8
    ),
}


class ScriptedModel(AnimationModel):
    """Face parameters are the numbers in the picture, in a layout with room for them.

    `shake` is added to all that it says, up or down, as another machine might round.
    `calls` has a letter for each time that a picture was looked at: F for a face, K as a key
    picture, a against one.
    """

    def __init__(self, layout: ParameterLayout, shake: float = 0.0) -> None:
        self._layout = layout
        self._noise = np.random.default_rng(7)
        self._shake = shake
        self.calls: list[str] = []

    @property
    def layout(self) -> ParameterLayout:
        return self._layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        return ScriptedAnalyser(self)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray | None:
        """About a quarter for a step of the keypoints, none of them alike."""
        weights = 4.0**8 * (0.213 + 0.0171 * np.arange(VALUES))
        return self.shaken(weights)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        assert key_parameters is not None
        return ScriptedReference(self, shown_in(key_picture), key_parameters)

    def shaken(self, values: FloatArray) -> FloatArray:
        """Values up to a billionth of themselves away."""
        return values * (1 + self._shake * self._noise.choice((-1.0, 1.0), values.shape))

    def parameters(self, shown: Shown) -> FaceParameters:
        """What the picture says, scaled."""
        numbers = self.shaken((np.array(shown.values, np.float64) - CENTRE) * _SCALE)
        split = self._layout.keypoints * self._layout.dimensions
        points = numbers[:split].reshape(-1, self._layout.dimensions) if split else None
        matrices = []
        for shape in self._layout.matrices:
            size = int(np.prod(shape.shape))
            matrices.append((shape.matrix_type, numbers[split : split + size].reshape(shape.shape)))
            split += size
        return FaceParameters(points, tuple(matrices))

    @staticmethod
    def numbers(parameters: FaceParameters) -> list[int]:
        """The numbers that a picture would say."""
        parts = [] if parameters.keypoints is None else [parameters.keypoints]
        parts += [values for _, values in parameters.matrices]
        return [round(float(v) / _SCALE) + CENTRE for part in parts for v in part.ravel()]


class ScriptedAnalyser(Analyser):
    """Finds what the picture says."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    def remember(self, pictures: int) -> None:
        self._model.calls.append("(")

    def rewind(self) -> None:
        self._model.calls.append(")(")

    def finds_face(self, picture: Picture) -> bool:
        self._model.calls.append("F")
        return shown_in(picture).face

    def analyse_key(self, picture: Picture) -> Analysis | None:
        self._model.calls.append("K")
        shown = shown_in(picture)
        return Analysis(self._model.parameters(shown), shown) if shown.face else None

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """The last value is relative to the key picture, and tells which one it was."""
        self._model.calls.append("a")
        shown = shown_in(picture)
        if not shown.face:
            return None
        return Analysis(self._model.parameters(shown_against(shown, key.detail)), shown)


def shown_against(shown: Shown, key: Shown) -> Shown:
    """A driven picture, its last value relative to the key picture."""
    *values, last = shown.values
    return replace(shown, values=(*values, last + key.number % 50))


class ScriptedReference(Reference):
    """Draws a picture that says how badly it is drawn; `key` is what the key picture shows."""

    def __init__(self, model: ScriptedModel, key: Shown, parameters: FaceParameters) -> None:
        self.key = key
        self._turned = model.numbers(parameters)[0]

    def animate(self, parameters: FaceParameters) -> Picture:
        turned, *_, covered, _ = ScriptedModel.numbers(parameters)
        off = abs(turned - self._turned) // _TURN + max(0, covered - CENTRE)
        drawn = Shown(_DRAWN, light=self.key.light, values=(off, *(VALUES - 1) * (CENTRE,)))
        return drawn.draw()
