"""What a FOMM parameter sequence costs as standard messages, and what each decision gives.

    python -m benchmarks.fomm_example FILE.npz [--write STREAM.266] [--json FILE]

FILE holds `keypoints` [pictures, 10, 2] and `jacobians` [pictures, 10, 2, 2], 25 pictures a second.
They are carried as keypoints and affine translations (type 0), the first picture's in the base
message. Bits are those of the SEI NAL units with their start codes and headers, the schedule in
the user data included. The error is the mean of (received - sent)² over all values of all pictures;
its limit is that of rounding every value to 1/64. What is measured was read back by the decoder's
own reader.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.encoding.face_units import DecidedUnits
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions.decision import FULL_RATE, Switches, SymbolSettings
from models import (
    FaceParameters,
    ModelCard,
    default_registry,
)
from models.contract import FloatArray

RATE = Fraction(25)
LIMIT_STEP = 1 / 64
# Keypoints, matrices: what costs least at the limit.
PRECISIONS = (7, 7)
_LAYOUT_STEPS = ((6, 6), (7, 6), (8, 6), (7, 7))
_NO_DECISION = Switches(1, separate_parts=False, trellis=False, byte_filling=False)
# An IDR picture of VVC, as far as a reader of messages looks at it.
_CODED_PICTURE = bytes.fromhex("000001 0041 c4")


@dataclass(frozen=True, slots=True)
class Measured:
    """A way to send the sequence: kbit/s, error over its limit, messages."""

    name: str
    multiplier: float
    kbps: float
    error: float
    share_of_limit: float
    messages: int


class FaceSequence:
    """A parameter sequence and the ways to send it."""

    def __init__(self, path: Path, card: ModelCard) -> None:
        with np.load(path) as arrays:
            self.keypoints = np.asarray(arrays["keypoints"], np.float64)
            self.jacobians = np.asarray(arrays["jacobians"], np.float64)
        self._card = card
        rounded = [np.rint(a / LIMIT_STEP) * LIMIT_STEP - a for a in self._arrays]
        self.limit = self._mean_square(rounded)

    @property
    def _arrays(self) -> tuple[FloatArray, FloatArray]:
        return self.keypoints, self.jacobians

    @staticmethod
    def _mean_square(errors: Sequence[FloatArray]) -> float:
        return float(np.mean(np.concatenate([error.ravel() for error in errors]) ** 2))

    def write(
        self, path: Path, precisions: tuple[int, int], multiplier: float, switches: Switches
    ) -> int:
        """Write a stream; bytes that are not the coded picture's."""
        layout = replace(
            self._card.layout,
            coordinate_precision=precisions[0],
            matrix_precision=precisions[1],
        )
        side = Rectangle(0, 0, 256, 256)
        information = StreamInformation(RATE, 256, 256, side)
        kind = self._card.layout.matrices[0].matrix_type
        with path.open("wb") as file:
            writer = StreamWriter(file, "vvc", information)
            settings = SymbolSettings(multiplier, switches)
            # Errors of all values count alike, in units of the limit's variance.
            weights = np.full(layout.size, 12 / LIMIT_STEP**2)
            units = DecidedUnits(layout, self._card, writer, settings)
            for index, (points, matrices) in enumerate(zip(*self._arrays, strict=True)):
                face = FaceParameters(points, ((kind, matrices),))
                if index:
                    units.add(face)
                else:
                    units.begin(_CODED_PICTURE, face, weights)
            units.close()
            writer.close()
        return writer.sei_bytes

    def measure(
        self, name: str, precisions: tuple[int, int], multiplier: float, switches: Switches
    ) -> Measured:
        """Write, read back, compare."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "sequence.266")
            size = self.write(path, precisions, multiplier, switches)
            (unit,) = read_face_stream(path, lambda text: None).units
            layout = self._card.layout
            received = list(parameters_of_pictures(unit, layout, path, repack=False))
        errors = [
            np.stack([np.asarray(face.keypoints) for face in received]) - self.keypoints,
            np.stack([face.matrices[0][1] for face in received]) - self.jacobians,
        ]
        error = self._mean_square(errors)
        kbps = 8 * size * float(RATE) / len(received) / 1000
        messages = len(unit.messages)
        return Measured(name, multiplier, kbps, error, error / self.limit, messages)

    def at_limit(
        self, name: str, precisions: tuple[int, int], switches: Switches
    ) -> Measured | None:
        """The highest multiplier whose error stays within the limit; None when none does."""
        low, high = -9.0, 6.0  # powers of 2
        best = None
        for _ in range(9):
            middle = (low + high) / 2
            found = self.measure(name, precisions, 2.0**middle, switches)
            if found.share_of_limit <= 1:
                low, best = middle, found
            else:
                high = middle
        return best


def decisions(sequence: FaceSequence) -> list[Measured | None]:
    """What each decision gives at the limit, one on top of the other."""
    return [
        sequence.measure("rounding to 1/64, a message a picture", (6, 6), 1.0, _NO_DECISION),
        sequence.at_limit(
            "and the trellis, in steps of 1/128",
            PRECISIONS,
            replace(FULL_RATE, byte_filling=False),
        ),
        sequence.at_limit("and byte filling", PRECISIONS, FULL_RATE),
        sequence.at_limit(
            "and messages where they pay", PRECISIONS, Switches(separate_parts=False)
        ),
        sequence.at_limit("and parts left out of messages", PRECISIONS, Switches()),
    ]


def _print(sequence: FaceSequence, title: str, rows: Sequence[Measured | None]) -> None:
    print(
        f"\n{title}\n{'':44}{'multiplier':>10} {'kbit/s':>7} {'error':>9} {'of limit':>8} messages"
    )
    for row in rows:
        if row is not None:
            print(
                f"{row.name:44}{row.multiplier:10.4f} {row.kbps:7.2f} {row.error:9.2e} "
                f"{row.share_of_limit:8.3f} {row.messages:8d}"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("fomm_example", __doc__, json=True)
    parser.add_argument("sequence", type=Path, metavar="FILE.npz")
    parser.add_argument("--write", type=Path, metavar="STREAM", help="write the best stream")
    options = parser.parse_args(arguments)
    sequence = FaceSequence(options.sequence, default_registry().find("fomm").card)
    print(f"limit of the error: {sequence.limit:.4e}")
    gains = decisions(sequence)
    _print(sequence, "what each decision gives, at the limit", gains)
    precision = [
        sequence.at_limit(f"keypoints to 2^-{a}, matrices to 2^-{b}", (a, b), Switches())
        for a, b in _LAYOUT_STEPS
    ]
    _print(sequence, "precision, at the limit", precision)
    curve = [
        sequence.measure("all decisions", PRECISIONS, 2.0**power, Switches())
        for power in range(-6, 6)
    ]
    _print(sequence, "rate against error", curve)
    if options.write is not None:
        best = gains[-1]
        multiplier = math.nan if best is None else best.multiplier
        sequence.write(options.write, PRECISIONS, multiplier, Switches())
    rows: dict[str, Sequence[Measured | None]] = {
        "decisions": gains,
        "precision": precision,
        "curve": curve,
    }
    content = {name: [asdict(row) for row in part if row] for name, part in rows.items()}
    write_json(options.json, {"limit": sequence.limit} | content)


if __name__ == "__main__":
    main()
