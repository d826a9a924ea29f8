"""What key pictures that the encoder decides on are worth.

Each clip is encoded three times: with the first key picture only (one every 30 s), with as many
as they pay for, and with about as many as that at a fixed interval.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from gfvc import EncodeOptions, encode
from gfvc.decoder import decode_pictures
from gfvc.metrics import LandmarkError, face_region, ms_ssim, ssim_map
from gfvc.stream_reader import read_face_stream
from gfvc.video_reader import Picture, read_pictures
from models import AnimationModel, default_registry


@dataclass(frozen=True, slots=True)
class Row:
    """One encoding of a clip; the measures are docs/measures.md's, means over its pictures."""

    clip: str
    key_pictures: str
    pictures: int
    sent: int
    ordinary_video: int
    kbps: float
    face_ssim: float
    worst_second: float
    ms_ssim: float
    landmark_error: float
    seconds: float


def measure(path: Path, name: str, options: EncodeOptions, model: AnimationModel) -> Row:
    """Encode, decode and compare one clip."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder, "clip.265" if options.codec == "hevc" else "clip.266")
        summary = encode(path, stream, options)
        decoded = decode_pictures(stream, read_face_stream(stream, lambda _: None), model)
        faces, whole, error = _compare(read_pictures(path, summary.rate), decoded)
    second = math.ceil(summary.rate)
    means = [float(np.mean(faces[i : i + second])) for i in range(0, len(faces), second)]
    return Row(
        clip=path.stem,
        key_pictures=name,
        pictures=summary.frames,
        sent=summary.key_pictures,
        ordinary_video=summary.fallback_pictures,
        kbps=summary.kilobits_per_second,
        face_ssim=float(np.mean(faces)),
        worst_second=min(means),
        ms_ssim=float(np.mean(whole)),
        landmark_error=error,
        seconds=summary.seconds,
    )


def _compare(
    source: Iterable[Picture], decoded: Iterable[Picture]
) -> tuple[list[float], list[float], float]:
    """SSIM of the face and MS-SSIM picture by picture, and the landmark error."""
    landmarks = LandmarkError()
    faces, whole = [], []
    for expected, picture in zip(source, decoded, strict=True):
        points = landmarks.add(expected, picture)
        whole.append(ms_ssim(expected, picture))
        if points is not None:
            height, width = expected.shape[:2]
            region = face_region(points, width, height)
            faces.append(float(ssim_map(expected, picture)[region].mean()))
    landmarks.close()
    return faces, whole, landmarks.mean


def compare_clip(path: Path, options: EncodeOptions, model: AnimationModel) -> list[Row]:
    """The three encodings of one clip, square pictures as they are."""
    one = measure(path, "one", replace(options, key_pictures="fixed"), model)
    decided = measure(path, "auto", options, model)
    interval = math.ceil(decided.pictures / max(1, decided.sent))
    regular = replace(options, key_pictures="fixed", key_interval=interval)
    return [one, decided, measure(path, f"every {interval}", regular, model)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_pictures", description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--codec", choices=("vvc", "hevc"), default="vvc")
    parser.add_argument("--model", default="mesh")
    parser.add_argument("--key-qp", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    options = parser.parse_args(arguments)
    settings = EncodeOptions(codec=options.codec, model=options.model, key_qp=options.key_qp)
    model = default_registry().find(options.model).load()
    rows: list[Row] = []
    for path in options.clips:
        rows += compare_clip(path, settings, model)
        sys.stderr.write(f"{path.stem}\n")
    _print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 0


def _print_table(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    forms = {
        "sent": "d",
        "ordinary_video": "d",
        "kbps": ".2f",
        "face_ssim": ".3f",
        "worst_second": ".3f",
        "ms_ssim": ".3f",
        "landmark_error": ".4f",
        "seconds": ".1f",
    }
    table = Table(title="key pictures")
    table.add_column("clip")
    table.add_column("key pictures")
    for name in forms:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        values = asdict(row)
        cells = (format(values[name], form) for name, form in forms.items())
        table.add_row(row.clip, row.key_pictures, *cells)
    for kind, of_kind in (("one", rows[::3]), ("auto", rows[1::3]), ("regular", rows[2::3])):
        means = [np.mean([asdict(row)[name] for row in of_kind]) for name in forms]
        table.add_row("mean", kind, *(f"{mean:.3f}" for mean in means))
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(main())
