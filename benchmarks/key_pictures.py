"""What predicted coded pictures are worth, key pictures alone, and a pool of them as references.

    python -m benchmarks.key_pictures CLIP... [--reference-pool N] [--key-interval N] [--pictures N]

Each clip, of square pictures, is encoded three times: with the first key picture only (one every
30 s), with predicted coded pictures (as many as there are by default), and with key pictures at an
interval, by default that of about as many. With a pool the last is encoded once more, so that the
last N key pictures may be references.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc import EncodeOptions, encode
from gfvc.cli.console import print_table
from gfvc.decoder import decode_pictures
from gfvc.metrics import LandmarkError
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import write_video
from models import AnimationModel, default_registry
from models.contract import Picture
from models.metrics.face import face_region
from models.metrics.similarity import ms_ssim, ssim_map

KINDS = ("one", "auto", "regular", "auto with a pool", "regular with a pool")


@dataclass(frozen=True, slots=True)
class Row:
    """One encoding of a clip; the measures are docs/measures.md's, means over its pictures."""

    clip: str
    key_pictures: str
    pictures: int
    sent: int
    ordinary_video: int
    from_earlier_keys: int
    kbps: float
    face_ssim: float
    worst_second: float
    ms_ssim: float
    landmark_error: float
    seconds: float


def measure(
    path: Path, name: str, options: EncodeOptions, model: AnimationModel, every: int = 1
) -> Row:
    """Encode, decode and compare every so many pictures of one clip."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder, "clip.265" if options.codec == "hevc" else "clip.266")
        summary = encode(path, stream, options)
        decoded = decode_pictures(stream, read_face_stream(stream, lambda _: None), model)
        faces, whole, error = _compare(
            islice(read_pictures(path, summary.rate), 0, None, every),
            islice(decoded, 0, None, every),
        )
    second = math.ceil(summary.rate / every)
    means = [float(np.mean(faces[i : i + second])) for i in range(0, len(faces), second)]
    return Row(
        clip=path.stem,
        key_pictures=name,
        pictures=summary.frames,
        sent=summary.key_pictures,
        ordinary_video=summary.fallback_pictures,
        from_earlier_keys=summary.pictures_from_earlier_keys,
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


def compare_clip(
    path: Path,
    options: EncodeOptions,
    model: AnimationModel,
    *,
    interval: int | None = None,
    pool: int = 1,
    every: int = 1,
) -> list[Row]:
    """The encodings of one clip, square pictures as they are."""
    alone, predicted = (replace(options, key_pictures=way) for way in ("fixed", "auto"))
    rows = [
        measure(path, "one", alone, model, every),
        measure(path, "predicted", predicted, model, every),
    ]
    if interval is None:
        interval = math.ceil(rows[1].pictures / max(1, rows[1].sent))
    regular = replace(alone, key_interval=interval)
    rows.append(measure(path, f"every {interval}", regular, model, every))
    if pool > 1:
        name = f"every {interval}, pool of {pool}"
        rows.append(measure(path, name, replace(regular, reference_pool=pool), model, every))
    return rows


def _beginning(path: Path, pictures: int, folder: Path) -> Path:
    """The first pictures of a clip as a lossless video."""
    rate = probe_video(path).rate
    beginning = islice(read_pictures(path, rate), pictures)
    return write_video(folder / f"{path.stem}.mkv", beginning, rate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("key_pictures", __doc__, clips=True, json=True)
    parser.add_argument("--codec", choices=("vvc", "hevc"), default="vvc")
    parser.add_argument("--model", default="mesh")
    parser.add_argument("--key-qp", type=int, metavar="N")
    parser.add_argument("--reference-pool", type=int, default=1, choices=range(1, 9), metavar="N")
    parser.add_argument("--key-interval", type=int, metavar="N", help="of the regular ones")
    parser.add_argument("--pictures", type=int, metavar="N", help="only the first N of each clip")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="measure each N-th")
    options = parser.parse_args(arguments)
    settings = EncodeOptions(
        codec=options.codec, model=options.model, key_qp=options.key_qp, crop="none"
    )
    model = default_registry().find(options.model).load()
    rows: list[list[Row]] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in options.clips:
            clip = (
                path if not options.pictures else _beginning(path, options.pictures, Path(folder))
            )
            ways = compare_clip(
                clip,
                settings,
                model,
                interval=options.key_interval,
                pool=options.reference_pool,
                every=options.every,
            )
            rows.append(ways)
            sys.stderr.write(f"{path.stem}\n")
    _print_table(rows)
    write_json(options.json, [asdict(row) for ways in rows for row in ways])


def _print_table(rows: Sequence[Sequence[Row]]) -> None:
    forms = {
        "sent": "d",
        "ordinary_video": "d",
        "from_earlier_keys": "d",
        "kbps": ".2f",
        "face_ssim": ".3f",
        "worst_second": ".3f",
        "ms_ssim": ".3f",
        "landmark_error": ".4f",
        "seconds": ".1f",
    }
    lines = []
    for row in (row for ways in rows for row in ways):
        values = asdict(row)
        cells = (format(values[name], form) for name, form in forms.items())
        lines.append([row.clip, row.key_pictures, *cells])
    for of_kind, kind in zip(zip(*rows, strict=True), KINDS, strict=False):
        means = [np.mean([asdict(row)[name] for row in of_kind]) for name in forms]
        lines.append(["mean", kind, *(f"{mean:.4f}" for mean in means)])
    columns = ["clip", "key pictures", *(name.replace("_", " ") for name in forms)]
    print_table("key pictures", columns, lines, texts=2, width=160)


if __name__ == "__main__":
    main()
