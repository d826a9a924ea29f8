"""What a page may cost: no more than a run of many clips, in time that grows with the results."""

from __future__ import annotations

import gc
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gfvc.errors import InputError
from gfvc.metrics import MEASURES
from gfvc.options.benchmarking import ReportOptions
from gfvc.report.bench_run import MAX_CELLS, MAX_PLOTS, read_bench_run
from gfvc.report.page import write_report

Results = dict[str, Any]

WITHOUT_VIDEOS = ReportOptions(max_megabytes=0)


def of_clips(results: Results, clips: int, points: int, *, curves: int = 1) -> Results:
    """Results of clips with as many points each, which have all scores; no pictures are left."""
    clip = {**results["clips"][0], "pictures": 1}
    point = {
        **results["points"][0],
        "scores": dict.fromkeys(MEASURES, 1.0),
        "picture_scores": {},
        "picture_bits": None,
        "picture_bits_of": {},
    }
    return {
        **results,
        "clips": [{**clip, "id": str(number)} for number in range(clips)],
        "points": [
            {**point, "clip": str(number), "curve": f"gfvc {n % curves}", "label": str(n)}
            for number in range(clips)
            for n in range(points)
        ],
        "bd_rates": [],
        "mean_bd_rates": [],
    }


def written(folder: Path, results: Results) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(results))
    return folder


def test_a_hundred_clips_of_ten_curves_are_reported(tmp_path: Path, results: Results) -> None:
    """And a few more measures than there are."""
    assert MAX_CELLS > 100 * 10 * 9 * 25
    assert MAX_PLOTS > 500 * 25
    run = read_bench_run(written(tmp_path, of_clips(results, 100, 90, curves=10)))
    assert len(run.points) * len(run.measures) == 9000 * len(MEASURES)


@pytest.mark.parametrize(("kind", "clips", "points"), [("scores", 4, 10), ("plots", 11, 1)])
def test_a_page_of_more_is_refused(
    tmp_path: Path,
    results: Results,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    clips: int,
    points: int,
) -> None:
    most = 10 * len(MEASURES)
    monkeypatch.setattr("gfvc.report.bench_run.MAX_CELLS", 3 * most)
    monkeypatch.setattr("gfvc.report.bench_run.MAX_PLOTS", most)
    read_bench_run(written(tmp_path, of_clips(results, 3, 10)))
    read_bench_run(written(tmp_path, of_clips(results, 10, 1)))
    with pytest.raises(InputError, match=rf"would have \d+ {kind}, where \d+ are the most; give"):
        write_report(written(tmp_path, of_clips(results, clips, points)), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_measures_that_nobody_knows_are_left_out(tmp_path: Path, results: Results) -> None:
    """A table had a column for each, and each clip a plot: a megabyte gave a page of 453 MB."""
    names = [f"new{number}" for number in range(300)]
    changed = of_clips(results, 1, 300)
    known = write_report(written(tmp_path, changed), tmp_path / "known.html", WITHOUT_VIDEOS)
    changed["measures"] = [
        *changed["measures"],
        *({"name": name, "title": name, "unit": "", "better": "higher"} for name in names),
    ]
    changed["points"][0]["scores"] |= dict.fromkeys(names, 1.0)
    page = tmp_path / "page.html"
    summary = write_report(written(tmp_path, changed), page, WITHOUT_VIDEOS)
    told = f"measures that this gfvc does not know: {', '.join(names[:8])} and 292 more"
    assert told in summary.left_out
    assert "new8" not in page.read_text(encoding="utf-8")
    assert summary.bytes < known.bytes + 2 * len(told)


def test_a_measure_that_stands_there_twice_is_refused(tmp_path: Path, results: Results) -> None:
    results["measures"].append(results["measures"][0])
    with pytest.raises(InputError, match="name is not a name of its own"):
        read_bench_run(written(tmp_path, results))


def processor_seconds(folder: Path) -> float:
    """What a page takes; without collecting what other tests left behind."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        write_report(folder, folder / "page.html", WITHOUT_VIDEOS, force=True)
        return time.process_time() - start
    finally:
        gc.enable()


def test_time_grows_with_the_clips_and_not_faster(tmp_path: Path, results: Results) -> None:
    def folder(clips: int) -> Path:
        made = of_clips(results, clips, 1)
        # Plots of one measure, and a curve for each clip: little to draw, much to look for.
        for number, point in enumerate(made["points"]):
            point |= {"scores": {"psnr": 1.0}, "curve": f"gfvc {number}"}
        return written(tmp_path / str(clips), made)

    small = folder(500)
    processor_seconds(small)
    # Eight times the clips: eight times the time. It was 25 times.
    limit = 16 * min(processor_seconds(small) for _ in range(3))
    large = folder(4000)
    # The first of three that is fast enough is the last: the least of them would be so too.
    assert any(processor_seconds(large) < limit for _ in range(3))
