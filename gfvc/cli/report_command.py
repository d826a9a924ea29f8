"""Make one HTML page of a finished run of gfvc bench.

The page stands alone: videos are in it, nothing is fetched, and it can be opened from a file or
sent to somebody. It shows source, decoded video and VVenC at equal bits side by side in step, rate
and quality, bits of each picture, the worst pictures, and the tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.arguments import add_options, folder_name, parsed_options

HELP = "make an HTML page of a run of gfvc bench"
EPILOG = """\
examples:
  gfvc report bench                              writes bench/report.html
  gfvc report bench --out page.html --max-megabytes 20
  gfvc report whole --view face                  of a run of whole pictures: the faces, large
"""

DEFAULT_NAME = "report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.benchmarking import ReportOptions

    parser.add_argument(
        "folder", type=folder_name, metavar="DIR", help="folder that gfvc bench wrote"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help=f"the page (default: {DEFAULT_NAME} in DIR)",
    )
    parser.add_argument("--force", action="store_true", help="replace the page if it exists")
    add_options(parser, ReportOptions)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import note
    from gfvc.options.benchmarking import ReportOptions
    from gfvc.report.page import write_report

    output = options.out or options.folder / DEFAULT_NAME
    shown = parsed_options(ReportOptions, options)
    summary = write_report(options.folder, output, shown, force=options.force)
    for sentence in summary.left_out:
        note(f"left out: {sentence}")
    clips = "1 clip" if summary.clips == 1 else f"{summary.clips} clips"
    note(f"{output}: {clips}, {summary.bytes / 1e6:.1f} MB")
    return 0
