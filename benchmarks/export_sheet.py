"""A sheet of what `gfvc export` makes of the demo clip: the head of the .glb, curves of the .csv.

    python -m benchmarks.export_sheet OUT.png [--stream IN] [--texture]

The demo clip is coded as by default and exported. The head is drawn by three.js in headless
Chromium, through the camera of the file, at moments below which the curves say what it does.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import gfvc
from benchmarks import gltf_viewer
from benchmarks.command import command_parser
from gfvc.cli.console import note
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.video_writer import write_video
from models.contract import FloatArray, Picture

SECONDS = 4.4
COLUMNS = 8
SIDE = 512
SHAPES = ("JawOpen", "EyeBlinkLeft", "BrowInnerUp", "MouthSmileLeft")
ANGLES = ("HeadYaw", "HeadPitch", "HeadRoll")


def code_demo(folder: Path) -> Path:
    """The demo clip as a stream."""
    clip = write_video(folder / "demo.mkv", make_demo_clip(SECONDS), RATE)
    stream = folder / "demo.266"
    gfvc.encode(clip, stream, gfvc.EncodeOptions(crop="none"), notes=note)
    return stream


def heads(glb: Path, times: FloatArray) -> list[Picture]:
    """The head at times in seconds, on white, without the margin that it never comes into."""
    with gltf_viewer.browser() as browser:
        viewer = gltf_viewer.Viewer(browser, glb, SIDE)
        drawn = [viewer.show(float(time)).astype(np.float32) for time in times]
        viewer.close()
    rows, columns = np.nonzero(np.max([picture[..., 3] for picture in drawn], axis=0))
    part = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    found = []
    for picture in drawn:
        share = picture[part][..., 3:] / 255
        found.append(np.asarray(picture[part][..., :3] * share + 255 * (1 - share), np.uint8))
    return found


def columns_of(path: Path) -> dict[str, FloatArray]:
    """The numbers of a CSV file by column."""
    with path.open(newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in (*SHAPES, *ANGLES)}


def draw(path: Path, pictures: Sequence[Picture], times: FloatArray, rate: float,
         columns: dict[str, FloatArray]) -> None:  # fmt: skip
    """The sheet: heads side by side, and under them the curves, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4), layout="constrained")
    grid = figure.add_gridspec(3, len(pictures), height_ratios=(1.5, 1, 1))
    for place, (picture, time) in enumerate(zip(pictures, times, strict=True)):
        axes = figure.add_subplot(grid[0, place])
        axes.imshow(picture)
        axes.set_title(f"{time:.2f} s", fontsize=9)
        axes.set_axis_off()
    for row, (names, label) in enumerate(((SHAPES, "shape"), (ANGLES, "radians")), 1):
        axes = figure.add_subplot(grid[row, :])
        for name in names:
            axes.plot(np.arange(len(columns[name])) / rate, columns[name], label=name)
        for time in times:
            axes.axvline(time, color="0.8", linewidth=0.8, zorder=0)
        axes.set_ylabel(label)
        axes.margins(x=0.01)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)
    axes.set_xlabel("seconds")
    figure.savefig(path, dpi=100)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the sheet."""
    parser = command_parser("export_sheet", __doc__, raw=True)
    parser.add_argument("output", type=Path, metavar="OUT.png")
    parser.add_argument("--stream", type=Path, metavar="IN", help="a stream other than the demo's")
    parser.add_argument("--texture", action="store_true", help="the key picture on the head")
    options = parser.parse_args(arguments)
    reason = gltf_viewer.missing()
    if reason is not None:
        parser.error(reason)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stream = options.stream or code_demo(folder)
        glb, table = folder / "head.glb", folder / "head.csv"
        gfvc.export(stream, glb, gfvc.ExportOptions(texture=options.texture), notes=note)
        summary = gfvc.export(stream, table, notes=note)
        rate = float(RATE)
        last = (summary.pictures - 1) / rate
        times = np.linspace(0, last, COLUMNS + 1)[:-1]
        draw(options.output, heads(glb, times), times, rate, columns_of(table))


if __name__ == "__main__":
    main()
