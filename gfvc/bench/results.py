"""The results of a benchmark as one JSON object, and as tables; docs/bench.md is the schema."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gfvc import __version__
from gfvc.bench.comparison import compare
from gfvc.bench.plan import Plan
from gfvc.bench.records import has_its_files
from gfvc.csv_tables import write_table
from gfvc.errors import InputError
from gfvc.json_checking import CheckedObject, read_json
from gfvc.metrics import MEASURES
from gfvc.output import replace_text

FORMAT = "gfvc-bench"
VERSION = 1
RESULTS_FILE = "bench.json"
MAX_RESULTS_BYTES = 1 << 28


@dataclass(slots=True)
class ClipResult:
    """What came of a clip: its points, and the points that failed, with reasons.

    `clip` says what it is; None when not even its pictures could be read.
    """

    clip: dict[str, Any] | None
    points: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


def assemble(plan: Plan, results: Sequence[ClipResult]) -> dict[str, Any]:
    """The results object, with Bjøntegaard rates."""
    points = [point for result in results for point in result.points]
    clips = [result.clip for result in results if result.clip is not None]
    rates, means = compare(
        points, [clip["id"] for clip in clips], (plan.above_kbps, plan.below_kbps)
    )
    return {
        "format": FORMAT,
        "version": VERSION,
        "gfvc": __version__,
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
        "plan": plan.to_json(),
        "measures": [
            {"name": m.name, "title": m.title, "unit": m.unit, "better": m.better.value}
            for m in MEASURES.values()
        ],
        "clips": clips,
        "points": points,
        "bd_rates": rates,
        "mean_bd_rates": means,
        "failures": [failure for result in results for failure in result.failures],
    }


def write_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Write bench.json, points.csv and bd_rates.csv, in place of earlier ones."""
    text = json.dumps(results, allow_nan=False, separators=(",", ":"))
    replace_text(folder / RESULTS_FILE, text + "\n")
    replace_text(folder / "points.csv", _points_table(results["points"]))
    rows = [
        {
            "clip": "mean of clips",
            **{f"worst_{key}": value for key, value in (row["worst"] or {}).items()},
            **row,
        }
        for row in results["mean_bd_rates"]
    ]
    replace_text(folder / "bd_rates.csv", _rates_table([*results["bd_rates"], *rows]))


def read_results(path: Path) -> dict[str, Any]:
    """Read bench.json; raise `InputError` when it is not ours, or of another version."""
    results = read_json(path, MAX_RESULTS_BYTES)
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise InputError(f"{path}: is not what gfvc bench writes")
    if results.get("version") != VERSION:
        raise InputError(
            f"{path}: has version {results.get('version')!r} where {VERSION} is known; "
            "run gfvc bench again"
        )
    return results


def has_all_files(folder: Path) -> bool:
    """Whether results are in a folder, with all files of clips and points that they name."""
    path = folder / RESULTS_FILE
    try:
        results = CheckedObject(read_results(path), path)
        clips = [clip.file("source", folder) for clip in results.objects("clips")]
        points = [has_its_files(point, folder) for point in results.objects("points")]
    except (InputError, OSError):
        return False
    return all(points) and all(clip.is_file() for clip in clips)


def _points_table(points: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        {
            **point,
            **point["scores"],
            **{f"{step}_seconds": seconds for step, seconds in point["seconds"].items()},
        }
        for point in points
    ]
    columns = [
        *("clip", "curve", "label", "bits", "kbps"),
        *MEASURES,
        *("faces_lost", "faces_skipped", "encode_seconds", "decode_seconds"),
    ]
    return _table(columns, rows)


def _rates_table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = ["clip", "measure", "anchor", "test", "percent", "status", "overlap", "gap"]
    worst = ("worst_clip", "worst_percent", "worst_status", "worst_gap")
    return _table([*columns, "clips", "left_out", *worst], rows)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; what a row lacks is an empty cell."""
    text = io.StringIO()
    write_table(text, columns, rows)
    return text.getvalue()
