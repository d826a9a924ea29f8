"""What each decision about face parameters gives on talking-head clips, and what precision does.

    python -m benchmarks.decisions CLIP... [--cache FOLDER] [--json FILE]

The parameters of `mesh` are taken from tracked landmarks, and written by the coder of the encoder.
Printed: kbit/s of the NAL units with face messages and user data, headers and start codes
included, and the landmark error before any drawing: means over clips. Pictures without a face are
left out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc.encoding.face_units import DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.options.encoding import DEFAULT_MULTIPLIER
from gfvc.parameter_rows import interpolated
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions.decision import FULL_RATE, Switches, SymbolSettings
from models.contract import FloatArray
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.tracking import clip_landmarks
from models.landmarks.values import UNITS, rest_face, to_parameters, value_weights
from models.mesh.card import CARD
from models.metrics.face import landmark_distance

RATE = Fraction(25)
MULTIPLIERS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
CHOSEN = Switches(precision=True)
_PRECISIONS = (7, 8, 9, 10)
_CODED_PICTURE = bytes.fromhex("000001 0041 c4")


@dataclass(frozen=True, slots=True)
class Gain:
    """A way to send the clips: kbit/s, landmark error in eye distances, messages a second."""

    name: str
    multiplier: float
    kbps: float
    landmark_error: float
    messages_per_second: float


class Clip:
    """Landmarks of a clip, and its pose and expression values relative to the first picture."""

    def __init__(self, space: FaceSpace, landmarks: FloatArray) -> None:
        self._space = space
        self.landmarks = landmarks[np.isfinite(landmarks).all(axis=(1, 2))]
        self._face, key_values = rest_face(space, self.landmarks[0])
        driven = (self._face.values(space, face) for face in self.landmarks[1:])
        self.values = np.stack([key_values, *driven])

    def send(self, precision: int, settings: SymbolSettings) -> tuple[float, float, float]:
        """kbit/s, landmark error, and messages a second."""
        layout = replace(CARD.layout, matrix_precision=precision)
        square = Rectangle(0, 0, 256, 256)
        writer = StreamWriter(io.BytesIO(), "vvc", StreamInformation(RATE, 256, 256, square))
        units = DecidedUnits(layout, CARD, writer, settings)
        self._give(units)
        writer.close()
        assert units.last_decided is not None
        (decided,) = units.last_decided.runs
        pictures = len(self.values)
        step = 2.0**-units.last_decided.layout.matrix_precision
        coded = interpolated(decided.values[0] * step, decided.sent[0], pictures)
        seconds = pictures / float(RATE)
        size = 8 * writer.sei_bytes / seconds / 1000
        return size, self._error(coded * UNITS), len(decided.pictures) / seconds

    def send_at_once(self) -> float:
        """The kbit/s without any decision but the dead zone, packed."""
        square = Rectangle(0, 0, 256, 256)
        writer = StreamWriter(io.BytesIO(), "vvc", StreamInformation(RATE, 256, 256, square))
        self._give(ImmediateUnits(CARD.layout, CARD, writer))
        writer.close()
        return 8 * writer.sei_bytes * float(RATE) / len(self.values) / 1000

    def _give(self, units: FaceUnits) -> None:
        key = to_parameters(self.values[0])
        units.begin(_CODED_PICTURE, key, value_weights(self._space, key))
        for row in self.values[1:]:
            units.add(to_parameters(row))
        units.close()

    def _error(self, values: FloatArray) -> float:
        errors = [
            landmark_distance(face, self._face.landmarks(self._space, row))
            for face, row in zip(self.landmarks, values, strict=True)
        ]
        return float(np.mean(errors))


def measure(clips: Sequence[Clip], name: str, precision: int, settings: SymbolSettings) -> Gain:
    """Means over clips."""
    kbps, error, messages = np.mean([clip.send(precision, settings) for clip in clips], axis=0)
    return Gain(name, settings.multiplier, float(kbps), float(error), float(messages))


def _print(title: str, rows: Sequence[Gain]) -> None:
    print(f"\n{title}\n{'':40}{'multiplier':>10} {'kbit/s':>7} {'landmark error':>14} messages/s")
    for row in rows:
        print(
            f"{row.name:40}{row.multiplier:10.3f} {row.kbps:7.3f} {row.landmark_error:14.4f} "
            f"{row.messages_per_second:10.2f}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("decisions", __doc__, clips=True, json=True)
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep landmarks here")
    options = parser.parse_args(arguments)
    space = shipped_face_space()
    clips = [Clip(space, clip_landmarks(path, options.cache)) for path in options.clips]
    own = CARD.layout.matrix_precision
    steps = {
        "a message a picture, rounded to nearest": replace(
            FULL_RATE, trellis=False, byte_filling=False
        ),
        "and the trellis": replace(FULL_RATE, byte_filling=False),
        "and byte filling": FULL_RATE,
        "and every second picture only": Switches(interval=2),
        "instead of that, messages where they pay": Switches(),
        "and the precision that costs less": Switches(precision=True),
    }
    gains = [
        measure(clips, name, own, SymbolSettings(DEFAULT_MULTIPLIER, switches))
        for name, switches in steps.items()
    ]
    print(f"without decisions but the dead zone: {np.mean([c.send_at_once() for c in clips]):.3f}")
    _print("what each decision gives", gains)
    precision = [
        measure(clips, f"steps of 2^-{p}", p, SymbolSettings(multiplier))
        for p in _PRECISIONS
        for multiplier in MULTIPLIERS
    ]
    precision += [
        measure(
            clips,
            f"the cheaper of 2^-{own} and 2^-{own + 1}",
            own,
            SymbolSettings(multiplier, CHOSEN),
        )
        for multiplier in MULTIPLIERS
    ]
    _print("precision and multiplier", precision)
    rows = {"decisions": gains, "precision": precision}
    content = {name: [asdict(row) for row in part] for name, part in rows.items()}
    write_json(options.json, content)


if __name__ == "__main__":
    main()
