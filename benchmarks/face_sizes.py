"""What a larger face square gives: the same clips at several sides, seen at the largest of them.

    python -m benchmarks.face_sizes CLIP... [--sides 128 256 512] [--model NAME] [--seconds S]
        [--sheet FILE.png]

Clips are square, and as large as the largest side or larger. Each is encoded at each side with the
defaults and decoded again; what is decoded is enlarged to the largest side, and compared with the
source there. Measures are means over the driven and coded pictures of all clips, and defined in
docs/measures.md; sharpness is that of the face, over the source's. Speed is that of decoding, over
that at the first side. `--sheet` shows a picture in the middle of each clip: the source, then
each side.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser
from gfvc import DecodeOptions, EncodeOptions, decode, encode
from gfvc.decoded_units import find_model
from gfvc.decoder import decode_pictures
from gfvc.picture_strip import png
from gfvc.scaling import scale
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import face_region
from models.metrics.similarity import laplacian_variance, ms_ssim, psnr, ssim

RATE = Fraction(25)
STEP = 3  # pictures
_COLUMNS = ("PSNR", "MS-SSIM", "SSIM", "sharpness over the source")
_PLACES = (2, 4, 4, 2)


def compared(sources: Sequence[Picture], drawn: Sequence[Picture]) -> FloatArray:
    """Measures of every `STEP`-th picture that shows a face: [pictures, 4]."""
    rows = []
    with FaceTracker() as tracker:
        for source, picture in list(zip(sources, drawn, strict=True))[::STEP]:
            landmarks = tracker.look(source)
            if landmarks is None:
                continue
            face = face_region(landmarks, *source.shape[1::-1])
            sharpness = laplacian_variance(picture, face) / laplacian_variance(source, face)
            rows.append(
                [psnr(source, picture), ms_ssim(source, picture), ssim(source, picture), sharpness]
            )
    return np.array(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; see the module's docstring."""
    parser = command_parser("face_sizes", __doc__, clips=True)
    parser.add_argument("--sides", nargs="+", type=int, default=[128, 256, 512], metavar="N")
    parser.add_argument("--model", default="face")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args(arguments)
    largest = max(options.sides)
    measures: dict[int, list[FloatArray]] = defaultdict(list)
    kbps: dict[int, list[float]] = defaultdict(list)
    speeds: dict[int, list[float]] = defaultdict(list)
    sheet = []
    for path in options.clips:
        pictures = islice(read_pictures(path, RATE), round(options.seconds * RATE))
        sources = [scale(picture, (largest, largest)) for picture in pictures]
        row = [sources[len(sources) // 2]]
        with tempfile.TemporaryDirectory() as folder:
            clip = write_video(Path(folder, "clip.mkv"), sources, RATE)
            for side in options.sides:
                stream = Path(folder, f"{side}.266")
                asked = EncodeOptions(view="face", crop="none", size=side, model=options.model)
                kbps[side].append(encode(clip, stream, asked).kilobits_per_second)
                seconds = [
                    decode(stream, Path(folder, "out.mp4"), force=True).seconds for _ in range(2)
                ]
                speeds[side].append(len(sources) / seconds[-1])
                face_stream = read_face_stream(stream, unheard)
                found = find_model(stream, face_stream, default_registry())
                decoded = decode_pictures(stream, face_stream, found.load(DecodeOptions().runtime))
                drawn = [scale(picture, (largest, largest)) for picture in decoded]
                measures[side].append(compared(sources, drawn))
                row.append(drawn[len(sources) // 2])
        sheet.append(np.concatenate(row, axis=1))
        sys.stderr.write(f"{path.stem}\n")
    print("| side | kbit/s | " + " | ".join(_COLUMNS) + " | decoding speed |")
    print("| --- " * (3 + len(_COLUMNS)) + "|")
    first = np.mean(speeds[options.sides[0]])
    for side in options.sides:
        numbers = np.mean(np.concatenate(measures[side]), axis=0)
        cells = [f"{number:.{digits}f}" for number, digits in zip(numbers, _PLACES, strict=True)]
        rate, speed = np.mean(kbps[side]), np.mean(speeds[side]) / first
        print(f"| {side} | {rate:.2f} | " + " | ".join(cells) + f" | {speed:.2f} |")
    if options.sheet is not None:
        options.sheet.write_bytes(png(np.concatenate(sheet)))


if __name__ == "__main__":
    main()
