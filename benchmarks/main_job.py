"""The main job on talking-head clips: bits, landmark error, speed.

    python -m benchmarks.main_job CLIP... [--json FILE] [--model NAME] [--key-qp N] [--runs N]

Every clip is encoded with the default settings and decoded by the `gfvc` command, as a user
would. Bits are those of the whole file. Speeds are pictures over wall time of the whole command,
the median of `--runs` runs after a warm-up; encoding speed leaves out the base codec's time.
Landmark error and the region measures are defined in docs/measures.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc.cli.console import print_table
from gfvc.metrics import LandmarkError
from gfvc.video_reader import read_pictures
from models.contract import Picture
from models.landmarks.second_tracker import (
    LEFT_EYE_OUTER_CORNER,
    RIGHT_EYE_OUTER_CORNER,
    FaceAlignmentTracker,
)
from models.metrics.face import FACE_LOST_ERROR
from models.metrics.similarity import psnr, ssim

LONG_CLIP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ClipResult:
    """Measurements of one clip; kbit/s, eye distances, dB, pictures a second."""

    clip: str
    seconds: float
    sei_kbps: float
    total_kbps: float
    key_pictures: int
    landmark_error: float
    repeated_landmark_error: float
    second_tracker_error: float | None
    faces_lost: int
    psnr: float
    ssim: float
    encode_pictures_per_second: float
    decode_pictures_per_second: float


def _run(command: str, *arguments: str) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "-m", "gfvc", command, *arguments, "--json", "--force"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(result.stderr.strip())
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def _second_error(tracker: FaceAlignmentTracker, source: Picture, decoded: Picture) -> list[float]:
    """Landmark error of a pair by the second tracker; empty when the source shows no face to it."""
    expected, found = tracker.look(source), tracker.look(decoded)
    if expected is None:
        return []
    if found is None:
        return [FACE_LOST_ERROR]
    eyes = expected[RIGHT_EYE_OUTER_CORNER] - expected[LEFT_EYE_OUTER_CORNER]
    distance = np.linalg.norm(expected - found, axis=1).mean()
    return [float(distance / np.linalg.norm(eyes))]


def measure_clip(
    path: Path,
    encode_options: Sequence[str],
    runs: int,
    second_tracker: FaceAlignmentTracker | None = None,
) -> ClipResult:
    """Encode, decode and compare one clip."""
    with tempfile.TemporaryDirectory() as folder:
        stream, video = str(Path(folder, "clip.266")), str(Path(folder, "clip.mp4"))
        lossless = Path(folder, "clip.mkv")
        encoded = [_run("encode", str(path), stream, *encode_options) for _ in range(runs + 1)]
        decoded = [_run("decode", stream, video) for _ in range(runs + 1)]
        _run("decode", stream, str(lossless))
        first = encoded[0]
        rate = Fraction(first["fps"]).limit_denominator(1001)
        landmarks, repeated = LandmarkError(), LandmarkError()
        second: list[float] = []
        key = None
        qualities = []
        pairs = zip(read_pictures(path, rate), read_pictures(lossless, rate), strict=True)
        for source, picture in pairs:
            key = picture if key is None else key
            landmarks.add(source, picture)
            repeated.add(source, key)
            if second_tracker is not None:
                second += _second_error(second_tracker, source, picture)
            qualities.append((psnr(source, picture), ssim(source, picture)))
        landmarks.close()
        repeated.close()
        frames = first["frames"]
        seconds = frames / float(rate)
        encoding = statistics.median(e["seconds"] - e["base_codec_seconds"] for e in encoded[1:])
        decoding = statistics.median(d["seconds"] for d in decoded[1:])
        mean_psnr, mean_ssim = np.mean(qualities, axis=0)
        return ClipResult(
            clip=path.stem,
            seconds=seconds,
            sei_kbps=first["bits"]["sei"] / seconds / 1000,
            total_kbps=first["bits"]["total"] / seconds / 1000,
            key_pictures=first["key_pictures"],
            landmark_error=landmarks.mean,
            repeated_landmark_error=repeated.mean,
            second_tracker_error=float(np.mean(second)) if second else None,
            faces_lost=landmarks.lost,
            psnr=float(mean_psnr),
            ssim=float(mean_ssim),
            encode_pictures_per_second=frames / encoding,
            decode_pictures_per_second=frames / decoding,
        )


def summarise(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Means over clips, and what they were measured on."""
    long_clips = [r for r in results if r.seconds >= LONG_CLIP_SECONDS]
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": os.cpu_count(),
        "python": platform.python_version(),
        "sei_kbps": float(np.mean([r.sei_kbps for r in results])),
        "total_kbps_long_clips": (
            float(np.mean([r.total_kbps for r in long_clips])) if long_clips else None
        ),
        "landmark_error": float(np.mean([r.landmark_error for r in results])),
        "encode_pictures_per_second": min(r.encode_pictures_per_second for r in results),
        "decode_pictures_per_second": min(r.decode_pictures_per_second for r in results),
    }


def _print_table(results: Sequence[ClipResult], summary: dict[str, Any]) -> None:
    names = {
        "seconds": ".1f",
        "sei_kbps": ".2f",
        "total_kbps": ".2f",
        "key_pictures": "d",
        "landmark_error": ".4f",
        "repeated_landmark_error": ".3f",
        "faces_lost": "d",
        "psnr": ".2f",
        "ssim": ".3f",
        "encode_pictures_per_second": ".1f",
        "decode_pictures_per_second": ".1f",
    }
    columns = ["clip", *(name.replace("_", " ") for name in names)]
    rows = (
        [result.clip, *(format(getattr(result, name), form) for name, form in names.items())]
        for result in results
    )
    console = print_table("the main job", columns, rows, width=200)
    for name, value in summary.items():
        console.print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("main_job", __doc__, clips=True, json=True)
    parser.add_argument("--model", default="face")
    parser.add_argument("--key-qp", metavar="N")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--second-tracker", action="store_true", help="landmark error by face-alignment too"
    )
    options = parser.parse_args(arguments)
    encode_options = ["--model", options.model]
    if options.key_qp:
        encode_options += ["--key-qp", options.key_qp]
    second_tracker = FaceAlignmentTracker() if options.second_tracker else None
    results = []
    for path in options.clips:
        results.append(measure_clip(path, encode_options, options.runs, second_tracker))
        sys.stderr.write(f"{results[-1]}\n")
    summary = summarise(results)
    _print_table(results, summary)
    write_json(options.json, {"summary": summary, "clips": [asdict(r) for r in results]})


if __name__ == "__main__":
    main()
