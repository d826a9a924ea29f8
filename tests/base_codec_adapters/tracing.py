"""Headers of a stream as ffmpeg's own parser reads them."""

from __future__ import annotations

import re
import subprocess

from base_codec_adapters import Codec
from base_codec_adapters.ffmpeg import find_ffmpeg


def slice_qps(stream: bytes, codec: Codec) -> list[int]:
    """QP of every slice in decoding order; the stream has one picture parameter set."""
    elements = trace(stream, codec)
    (start,) = {value for name, value in elements if name.endswith("init_qp_minus26")}
    deltas = ("ph_qp_delta", "sh_qp_delta", "slice_qp_delta")
    return [26 + start + value for name, value in elements if name in deltas]


def trace(stream: bytes, codec: Codec) -> list[tuple[str, int]]:
    """Syntax elements of a stream, read by ffmpeg's own parser of parameter sets and headers."""
    done = subprocess.run(
        [
            find_ffmpeg(), "-hide_banner", "-loglevel", "verbose", "-f", codec, "-i", "-",
            "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-",
        ],
        input=stream, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    rows = re.findall(r"\d+ +([a-z]\w+)(?:\[\S*\])* +[01]+ = (-?\d+)\n", done.stderr.decode())
    return [(name, int(value)) for name, value in rows]
