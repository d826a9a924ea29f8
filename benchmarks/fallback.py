"""What a clip without a face costs, against the base codec alone.

A made clip goes through `gfvc encode`, and its pictures through the same adapter by themselves:
same encoder, preset, structure and quantisation parameter. Exits with 1 when a stream is more
than 3 % larger than the base codec's own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from base_codec_adapters import Codec, EncodeRequest, PictureSpool, find_encoder
from benchmarks.command import command_parser, write_json
from gfvc import EncodeOptions, encode
from gfvc.cli.console import print_table
from gfvc.colour import to_picture420
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture

RATE = Fraction(25)
MAX_EXTRA_PERCENT = 3.0
ENCODERS: dict[str, Codec] = {
    "ffmpeg-libvvenc": "vvc",
    "ffmpeg-libx265": "hevc",
    "ffmpeg-libkvazaar": "hevc",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Sizes in bytes of one clip's streams."""

    encoder: str
    qp: int
    pictures: int
    base_codec_bytes: int
    gfvc_bytes: int

    @property
    def extra_percent(self) -> float:
        """By how much the stream of gfvc is larger."""
        return 100 * (self.gfvc_bytes / self.base_codec_bytes - 1)


def blots(pictures: int, side: int) -> Iterator[Picture]:
    """A coloured field of blots that slides by, 2 samples a picture."""
    seeds = np.random.default_rng(1).integers(0, 256, (side // 8, side // 4, 3), np.uint8)
    field = cv2.resize(seeds, (side + 2 * pictures, side), interpolation=cv2.INTER_CUBIC)
    for time in range(pictures):
        yield np.ascontiguousarray(field[:, 2 * time : 2 * time + side], np.uint8)


def measure(clip: Path, encoder: str, qp: int, side: int) -> Cost:
    """Code one clip both ways."""
    codec = ENCODERS[encoder]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, {"vvc": "clip.266", "hevc": "clip.265"}[codec])
        options = EncodeOptions(
            base_encoder=encoder, key_qp=qp, fallback_qp=qp, size=side, crop="none"
        )
        summary = encode(clip, output, options)
        if summary.fallback_pictures != summary.frames:
            raise SystemExit(f"{clip}: shows a face in some pictures")
        gfvc_bytes = output.stat().st_size
    with PictureSpool() as spool:
        for picture in read_pictures(clip, RATE):
            spool.append(to_picture420(picture))
        request = EncodeRequest(spool, qp, RATE, structure="random_access")
        alone = len(find_encoder(codec, encoder).encode(request).stream)
        return Cost(encoder, qp, len(spool), alone, gfvc_bytes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = command_parser("fallback", __doc__, json=True)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--qp", type=int, nargs="+", default=[32, 42])
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options = parser.parse_args(arguments)
    results: list[Cost] = []
    with tempfile.TemporaryDirectory() as folder:
        pictures = blots(round(options.seconds * RATE), options.size)
        clip = write_video(Path(folder, "blots.mkv"), pictures, RATE)
        for encoder in options.encoders:
            results += [measure(clip, encoder, qp, options.size) for qp in options.qp]
    columns = ("encoder", "QP", "pictures", "base codec, bytes", "gfvc, bytes", "extra, %")
    cells = ([*astuple(cost), f"{cost.extra_percent:.2f}"] for cost in results)
    print_table("a clip without a face", columns, cells, width=100)
    rows = [asdict(cost) | {"extra_percent": cost.extra_percent} for cost in results]
    write_json(options.json, rows)
    return 1 if any(cost.extra_percent > MAX_EXTRA_PERCENT for cost in results) else 0


if __name__ == "__main__":
    sys.exit(main())
