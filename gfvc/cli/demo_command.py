"""Make a short talking-head clip, encode it as VVC and HEVC, decode it, and compare.

The clip is drawn from scikit-image's astronaut picture, so nothing is fetched. One folder gets
the streams, the videos, a strip of pictures side by side (pictures.png) and summary.json; the
summary is printed too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.arguments import folder_name, reader_of
from gfvc.options.kinds import between

HELP = "see the whole thing work on a face that comes with the installation"
EPILOG = """\
example:
  gfvc demo --out demo
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--out", type=folder_name, default=Path("demo"), metavar="FOLDER", help="default: demo"
    )
    parser.add_argument(
        "--seconds",
        type=reader_of(between(0.5, 60, "a number of seconds")),
        default=10.0,
        metavar="S",
        help="length of the clip (0.5..60; default: 10)",
    )
    parser.add_argument("--force", action="store_true", help="replace FOLDER if it exists")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, print_table
    from gfvc.demo import NAMES, run_demo
    from gfvc.output import replaced_when_complete

    with replaced_when_complete(options.out, force=options.force, folder_of=NAMES) as folder:
        rows = run_demo(folder, options.seconds, note)
    if options.json:
        answer([row.to_json() for row in rows])
        return 0
    lines = {
        "pictures (key pictures)": [
            f"{row.encoded.frames} ({row.encoded.key_pictures})" for row in rows
        ],
        "coded pictures and headers, bits": [f"{row.encoded.base_bits}" for row in rows],
        "face parameters (SEI), bits": [f"{row.encoded.sei_bits}" for row in rows],
        "kbit/s, everything counted": [f"{row.encoded.kilobits_per_second:.2f}" for row in rows],
        "PSNR, dB (key picture repeated)": [
            f"{row.psnr:.1f} ({row.repeated_psnr:.1f})" for row in rows
        ],
        "SSIM (key picture repeated)": [
            f"{row.ssim:.3f} ({row.repeated_ssim:.3f})" for row in rows
        ],
        "landmark error, eye distances": [f"{row.landmark_error:.4f}" for row in rows],
        "encoding, s": [f"{row.encoded.seconds:.1f}" for row in rows],
        "decoding, s": [f"{row.decode_seconds:.1f}" for row in rows],
    }
    print_table(
        "a talking head, 640x360, 25 pictures a second",
        ["", *(row.encoded.codec.upper() for row in rows)],
        ([label, *cells] for label, cells in lines.items()),
    )
    note(f"streams, videos and pictures.png are in {options.out}")
    return 0
