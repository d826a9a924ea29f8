"""All pictures of a clip coded, in output order and reordered: bits, MS-SSIM, PSNR and time.

The first pictures of each clip, 256x256, go through the base codec adapter in low delay and in
random access, each at some quantisation parameters. Measures are means over every fifth picture.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from base_codec_adapters import DecodeRequest, PictureSpool, find_decoder
from benchmarks.command import command_parser
from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.colour import to_picture420, to_rgb
from gfvc.scaling import scale
from gfvc.video_reader import read_pictures
from models.contract import Picture
from models.metrics.similarity import ms_ssim, psnr

RATE = Fraction(25)
SIZE = 256, 256
MEASURED = 5  # every so many pictures


@dataclass(frozen=True, slots=True)
class Row:
    """One way of coding a clip: kbit/s, MS-SSIM, luma PSNR in dB, seconds of the encoder."""

    clip: str
    structure: str
    qp: int
    kbps: float
    ms_ssim: float
    psnr: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"| {self.clip} | {self.structure} | {self.qp} | {self.kbps:.2f} | {self.ms_ssim:.4f} "
            f"| {self.psnr:.2f} | {self.seconds:.1f} |"
        )


def measure(clip: Path, pictures: Sequence[Picture], qp: int, *, reordered: bool) -> Row:
    """Code pictures of a clip, and decode them again."""
    with PictureSpool() as spool:
        for picture in pictures:
            spool.append(to_picture420(picture))
        base = BaseLayerCoder("vvc", RATE)
        started = time.perf_counter()
        stream = base.encode(spool, SequenceQps(predicted=qp), reordered=reordered)
        seconds = time.perf_counter() - started
        decoded = find_decoder("vvc").decode(DecodeRequest(stream, len(pictures))).pictures
        errors, similarities = [], []
        for number in range(0, len(pictures), MEASURED):
            errors.append(psnr(spool[number].y, decoded[number].y))
            similarities.append(ms_ssim(pictures[number], to_rgb(decoded[number])))
    return Row(
        clip.stem,
        "random access" if reordered else "low delay",
        qp,
        8 * len(stream) * float(RATE) / len(pictures) / 1000,
        float(np.mean(similarities)),
        float(np.mean(errors)),
        seconds,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = command_parser("all_pictures", __doc__, clips=True)
    parser.add_argument("--pictures", type=int, default=75, help="of each clip, from its start")
    parser.add_argument("--low-delay", type=int, nargs="*", default=[42, 33, 27], metavar="QP")
    parser.add_argument(
        "--random-access", type=int, nargs="*", default=[40, 36, 31, 27], metavar="QP"
    )
    options = parser.parse_args(arguments)
    for clip in options.clips:
        read = islice(read_pictures(clip, RATE), options.pictures)
        pictures = [scale(picture, SIZE) for picture in read]
        for reordered, qps in ((False, options.low_delay), (True, options.random_access)):
            for qp in qps:
                row = measure(clip, pictures, qp, reordered=reordered)
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
