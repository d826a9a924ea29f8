"""How to split bits between key pictures and face parameters: which settings are worth their rate.

    python -m benchmarks.rate_split CLIP... [--key-qps N,N...] [--multipliers X,X...] [--json FILE]

Square clips with a face throughout are coded at each pair of key QP and Lagrangian multiplier.
Printed are means over clips: kbit/s of the whole stream, and the quality that the encoder's own
decisions go by (SSIM of luma over the face, less the landmark error), of every tenth picture. A
star marks pairs to which no other is better in both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc.base_layer import decode_base_layer
from gfvc.crop import require_square
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.encoding.clip import Clip
from gfvc.encoding.coding_pass import REMEMBERED_PICTURES, CodedClip, code_clip
from gfvc.options.encoding import EncodeOptions
from gfvc.rate_control.ladder import RateSettings
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import probe_video, read_pictures
from models import Analyser, AnimationModel, default_registry
from models.contract import Closable, Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import FACE_LOST_ERROR, face_region, landmark_distance
from models.metrics.similarity import ssim_map

EVERY = 10
KEY_QPS = (22, 27, 32, 37, 42, 47)
MULTIPLIERS = (0.0125, 0.05, 0.2, 0.8)


class FaceQuality(Closable):
    """How good a drawn face is: similarity of its luma, less the landmark error; at most 1.

    Structural similarity sees blur and holes, to which landmarks are blind; landmarks see an
    expression that is a little off, to which similarity is nearly blind.
    """

    def __init__(self) -> None:
        self._tracker = FaceTracker()

    def measure(self, source: Picture, drawn: Picture) -> float | None:
        """The quality of a drawn picture; None when the source shows no face."""
        expected = self._tracker.look(source)
        if expected is None:
            return None
        height, width = source.shape[:2]
        similarity = float(ssim_map(source, drawn)[face_region(expected, width, height)].mean())
        found = self._tracker.look(drawn)
        error = FACE_LOST_ERROR if found is None else landmark_distance(expected, found)
        return similarity - error

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()


@dataclass(frozen=True, slots=True)
class Point:
    """Settings, and means over clips of what they cost and give."""

    key_qp: int
    symbol_price: float
    kbps: float
    quality: float


def open_clip(source: Path) -> Clip:
    """A square clip for the default model, coded as VVC with key pictures at fixed intervals."""
    video = probe_video(source)
    options = EncodeOptions(fallback="never", crop="none", key_pictures="fixed")
    registered = default_registry().find(options.registered_model)
    square = require_square(source, video.width, video.height)
    information = StreamInformation(video.rate, video.width, video.height, square)
    model = registered.load(options.runtime)
    size = square.width, square.height
    return Clip(source, options, "vvc", model, registered.card, information, size, None)


def measure(clip: Clip, settings: RateSettings, analyser: Analyser) -> tuple[float, float]:
    """The kbit/s and the quality of a clip."""
    with tempfile.TemporaryDirectory() as folder, FaceQuality() as quality:
        analyser.rewind()
        coded = code_clip(clip, settings, Path(folder, "clip.266"), analyser, lambda *_: None)
        size = coded.stream.stat().st_size
        sources = read_pictures(clip.source, clip.rate)
        found = [
            quality.measure(source, picture)
            for source, picture in zip(sources, _drawn(coded, clip.model), strict=True)
            if picture is not None
        ]
    kbps = 8 * size * float(clip.rate) / coded.part.tally.frames / 1000
    return kbps, float(np.mean([value for value in found if value is not None]))


def _drawn(coded: CodedClip, model: AnimationModel) -> Iterator[Picture | None]:
    """Every so many pictures as a receiver draws them, None for the others."""
    stream = read_face_stream(coded.stream, lambda _: None)
    keys = decode_base_layer(stream.codec, stream.base_layer_parts())
    for unit, key in zip(stream.units, keys, strict=True):
        faces = parameters_of_pictures(unit, model.layout, coded.stream, repack=False)
        reference = model.prepare(key, next(faces))
        yield key
        for number, face in enumerate(faces, 1):
            yield reference.animate(face) if number % EVERY == 0 else None


def mark(points: Sequence[Point]) -> list[bool]:
    """Whether no other point has a lower rate and a higher quality."""
    return [
        not any(other.kbps < point.kbps and other.quality > point.quality for other in points)
        for point in points
    ]


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    return tuple(float(part) for part in text.split(","))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("rate_split", __doc__, clips=True, json=True)
    parser.add_argument("--key-qps", type=numbers, default=KEY_QPS, metavar="N,N...")
    parser.add_argument("--multipliers", type=numbers, default=MULTIPLIERS, metavar="X,X...")
    options = parser.parse_args(arguments)
    pairs = [
        RateSettings(int(qp), multiplier)
        for qp in options.key_qps
        for multiplier in options.multipliers
    ]
    found = []
    for path in options.clips:
        clip = open_clip(path)
        with clip.model.open_analyser() as analyser:
            analyser.remember(REMEMBERED_PICTURES)
            found.append([measure(clip, settings, analyser) for settings in pairs])
    points = [
        Point(settings.key_qp, settings.symbol_price, float(kbps), float(quality))
        for settings, (kbps, quality) in zip(pairs, np.mean(found, axis=0), strict=True)
    ]
    rows = sorted(zip(points, mark(points), strict=True), key=lambda row: row[0].kbps)
    print("key QP multiplier  kbit/s  quality")
    for point, best in rows:
        star = " *" if best else ""
        settings = f"{point.key_qp:6} {point.symbol_price:10.3f}"
        print(f"{settings} {point.kbps:7.3f} {point.quality:8.4f}{star}")
    write_json(options.json, [asdict(point) | {"best": best} for point, best in rows])


if __name__ == "__main__":
    main()
