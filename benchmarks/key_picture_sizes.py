"""What one key picture costs with each base encoder: bytes, luma PSNR, time.

    python -m benchmarks.key_picture_sizes [--encoders NAME...] [--qp N...]

The picture is 256×256 samples of scikit-image's `data.astronaut()`, from row 0 and column 100.
Bytes are those of the whole stream, parameter sets included; PSNR is that of the decoded luma of 8
bits; time is one call of the encoder, the start of its program included, the median over the QPs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np

from base_codec_adapters import DecodeRequest, EncodeRequest, find_decoder, find_encoder
from benchmarks.command import command_parser
from benchmarks.fallback import ENCODERS
from gfvc.colour import to_picture420
from models.metrics.similarity import psnr
from sei import split_annex_b

PARAMETER_SETS = ("VPS", "SPS", "PPS")


def measure(name: str, qps: Sequence[int]) -> str:
    """One row of the table."""
    from skimage.data import astronaut

    codec = ENCODERS[name]
    encoder, decoder = find_encoder(codec, name), find_decoder(codec)
    picture = to_picture420(np.ascontiguousarray(astronaut()[:256, 100:356]))
    seconds, columns, sets = [], [], ""
    for qp in qps:
        start = time.perf_counter()
        stream = encoder.encode(EncodeRequest((picture,), qp)).stream
        seconds.append(time.perf_counter() - start)
        decoded = decoder.decode(DecodeRequest(stream, expected_pictures=1)).pictures[0]
        columns.append(f"{len(stream)} bytes, Y {psnr(picture.y, decoded.y):.1f}")
        sizes = {unit.type_name: len(unit.data) for unit in split_annex_b(stream)}
        sets = ", ".join(f"{kind} {sizes[kind]}" for kind in PARAMETER_SETS if kind in sizes)
    return " | ".join([f"`{name}`", sets, *columns, f"{statistics.median(seconds):.2f}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("key_picture_sizes", __doc__)
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    parser.add_argument("--qp", type=int, nargs="+", default=[32, 37, 42], metavar="N")
    options = parser.parse_args(arguments)
    titles = ["encoder", "parameter sets, bytes", *(f"QP {qp}" for qp in options.qp), "seconds"]
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for name in options.encoders:
        print(f"| {measure(name, options.qp)} |", flush=True)


if __name__ == "__main__":
    main()
