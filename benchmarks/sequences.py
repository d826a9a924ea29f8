"""What a sequence of sparse pictures costs, by its structure, key picture's QP and preset.

    python -m benchmarks.sequences CLIP... [--every N...] [--qp N...] [--key-qp N]

Every N-th picture of each clip, of square pictures, is coded by libvvenc as one sequence: as the
adapter does for low delay; with one QP for all pictures; with other presets; with the group of 8
pictures that libvvenc itself has for low delay, its temporal filter on and off; and with random
access, its pictures reordered. PSNR is of luma samples, the mean over the pictures after the first;
seconds are those of a processor for each picture. The last rows say how many bits a way needs
against the adapter's at equal PSNR, the mean over clips (Bjøntegaard; two QPs or more).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np

from base_codec_adapters import DecodeRequest, EncodeRequest, Picture420, find_decoder
from base_codec_adapters.ffmpeg import FfmpegVvencEncoder
from benchmarks.command import command_parser
from gfvc.bench.curves import RatePoint, rate_difference
from gfvc.colour import to_picture420
from gfvc.metrics import MEASURES
from gfvc.video_reader import probe_video, read_pictures
from models.metrics.similarity import psnr

_OWN_GROUP = "gopsize=8:picreordering=0:intraperiod=-1:decodingrefreshtype=none:threads=0"
_REORDERED = (
    "gopsize=16:picreordering=1:intraperiod=4096:decodingrefreshtype=cra:poc0idr=1:threads=0"
)
_UNFILTERED = ":mctf=0:bim=0"


@dataclass(frozen=True)
class Way:
    """How a sequence is coded: a preset, and libvvenc's structure, None for the adapter's."""

    name: str
    preset: str = "medium"
    structure: str | None = None
    one_qp: bool = False


WAYS = (
    Way("low delay"),
    Way("low delay, one QP", one_qp=True),
    Way("low delay, faster", "faster"),
    Way("low delay, fast", "fast"),
    Way("low delay, slow", "slow"),
    Way("group of 8", structure=_OWN_GROUP + _UNFILTERED),
    Way("group of 8, filtered", structure=_OWN_GROUP),
    Way("random access", structure=_REORDERED + _UNFILTERED),
)


class WayEncoder(FfmpegVvencEncoder):
    """libvvenc with another preset, or another structure than the adapter's."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self._way = way

    def library_options(self, request: EncodeRequest) -> list[str]:
        """The adapter's options with what the way has in their place."""
        options = super().library_options(request)
        options[options.index("-preset") + 1] = self._way.preset
        if self._way.structure is not None:
            own, level, rest = options[-1].partition(":level=")
            assert own
            offset = f":intraqpoffset={request.key_qp_offset or 0}"
            options[-1] = self._way.structure + offset + level + rest
        return options


@dataclass(frozen=True)
class Cost:
    """One coded sequence; `psnr` in dB of the pictures after the first, `key_psnr` of that."""

    kbps: float
    key_psnr: float
    psnr: float
    seconds: float


def measure(way: Way, pictures: Sequence[Picture420], rate: Fraction, qp: int, key_qp: int) -> Cost:
    """Code a sequence and decode it again."""
    first = qp if way.one_qp else key_qp
    request = EncodeRequest(tuple(pictures), qp, rate, structure="low_delay", key_qp=first)
    before = sum(os.times()[2:4])  # of the processes that were started
    stream = WayEncoder(way).encode(request).stream
    seconds = sum(os.times()[2:4]) - before
    decoded = find_decoder("vvc").decode(DecodeRequest(stream, expected_pictures=len(pictures)))
    key, *others = (
        psnr(source.y, picture.y)
        for source, picture in zip(pictures, decoded.pictures, strict=True)
    )
    kbps = float(len(stream) * 8 / 1000 / (len(pictures) / rate))
    return Cost(kbps, key, float(np.mean(others)), seconds / len(pictures))


def _more_bits(anchor: Iterable[Cost], costs: Iterable[Cost]) -> float | None:
    first, second = ([RatePoint(cost.kbps, cost.psnr) for cost in each] for each in (anchor, costs))
    difference = rate_difference(first, second, MEASURES["psnr"])
    return None if difference is None else difference.percent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("sequences", __doc__, clips=True)
    parser.add_argument("--every", type=int, nargs="+", default=[12, 6], metavar="N")
    parser.add_argument("--qp", type=int, nargs="+", default=[37, 42], metavar="N")
    parser.add_argument("--key-qp", type=int, default=32, metavar="N")
    parser.add_argument("--pictures", type=int, metavar="N", help="only the first N of a sequence")
    names = [way.name for way in WAYS]
    parser.add_argument("--ways", nargs="+", choices=names, default=names, metavar="WAY")
    options = parser.parse_args(arguments)
    print(f"{'clip':24} every  QP way                    kbit/s  key dB      dB  s/picture")
    for every in options.every:
        percents: dict[str, list[float]] = {}
        for path in options.clips:
            rate = probe_video(path).rate
            every_nth = islice(read_pictures(path, rate), 0, None, every)
            pictures = [to_picture420(each) for each in islice(every_nth, options.pictures)]
            anchor: list[Cost] = []
            for way in (way for way in WAYS if way.name in options.ways):
                costs = []
                for qp in options.qp:
                    cost = measure(way, pictures, rate / every, qp, options.key_qp)
                    costs.append(cost)
                    print(
                        f"{path.stem:24} {every:5} {qp:3} {way.name:22} {cost.kbps:7.2f} "
                        f"{cost.key_psnr:7.2f} {cost.psnr:7.2f} {cost.seconds:10.2f}",
                        flush=True,
                    )
                anchor = anchor or costs
                percent = _more_bits(anchor, costs)
                if percent is not None:
                    percents.setdefault(way.name, []).append(percent)
        for name, each in percents.items():
            print(f"{'mean':24} {every:5}     {name:22} {np.mean(each):+6.1f} % bits")


if __name__ == "__main__":
    main()
