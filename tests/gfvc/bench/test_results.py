"""Results as JSON, tables and plots."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from gfvc.bench.curves import why_no_mean
from gfvc.bench.plan import Plan
from gfvc.bench.plots import curves_to_draw, draw_all, mean_curves
from gfvc.bench.results import ClipResult, assemble, has_all_files, read_results, write_results
from gfvc.cli.bench_command import _print_rates
from gfvc.errors import InputError
from gfvc.metrics import MEASURES
from tests.gfvc.bench.points import curve, point

RATES, QUALITIES = [4.0, 8.0, 16.0], [30.0, 33.0, 36.0]


def two_clips() -> list[ClipResult]:
    return [
        ClipResult(
            {"id": f"{name}-1", "name": name, "sha256": "", "pictures": 10, "fps": 25.0},
            [
                *curve(f"{name}-1", "vvenc", RATES, QUALITIES),
                *curve(f"{name}-1", "gfvc mesh", [rate / 2 for rate in RATES], QUALITIES),
            ],
            [],
        )
        for name in ("one", "two")
    ]


def test_results_are_written_and_read(tmp_path: Path) -> None:
    results = assemble(Plan(below_kbps=20), two_clips())
    assert results["mean_bd_rates"][0]["percent"] == pytest.approx(-50)
    assert [measure["name"] for measure in results["measures"]] == list(MEASURES)
    write_results(tmp_path, results)
    assert read_results(tmp_path / "bench.json") == json.loads(json.dumps(results))
    with (tmp_path / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert (rows[0]["clip"], rows[0]["psnr"], rows[0]["vmaf"]) == ("one-1", "30.0", "")
    with (tmp_path / "bd_rates.csv").open() as file:
        rates = list(csv.DictReader(file))
    assert [row["clip"] for row in rates] == ["one-1", "two-1", "mean of clips"]
    assert float(rates[-1]["percent"]) == pytest.approx(-50)
    assert rates[-1]["clips"] == "2"


def test_files_that_results_name_are_looked_for(tmp_path: Path) -> None:
    assert not has_all_files(tmp_path)
    names = ("source.mp4", "stream.266", "decoded.mp4")
    for name in names:
        (tmp_path / name).write_bytes(b"1234")
    clip = {"source": "source.mp4"}
    one = {"bits": 32, "files": {"stream": "stream.266", "decoded": "decoded.mp4"}}

    def are_there(**change: object) -> bool:
        results = {"format": "gfvc-bench", "version": 1, "clips": [clip], "points": [one | change]}
        (tmp_path / "bench.json").write_text(json.dumps(results), encoding="utf-8")
        return has_all_files(tmp_path)

    assert are_there()
    assert not are_there(bits=40)
    assert not are_there(files={"stream": "../stream.266", "decoded": "decoded.mp4"})
    for name in names:
        (tmp_path / name).rename(tmp_path / "away")
        assert not are_there()
        (tmp_path / "away").rename(tmp_path / name)


def test_a_clip_that_failed_leaves_its_reasons() -> None:
    failed = ClipResult(None, [], [{"clip": "bad", "reason": "no face"}])
    results = assemble(Plan(), [*two_clips(), failed])
    assert [clip["name"] for clip in results["clips"]] == ["one", "two"]
    assert results["failures"] == [{"clip": "bad", "reason": "no face"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "not what gfvc bench writes"),
        ('{"format": "gfvc-bench", "version": 99}', "has version 99 where 1 is known"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_results(path)


def test_plots_are_drawn_for_each_clip_all_clips_and_the_mean(tmp_path: Path) -> None:
    results = assemble(Plan(), two_clips())
    written = draw_all(results, tmp_path)
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir())
    assert sorted(written) == sorted(
        f"{stem}_psnr.{form}"
        for stem in ("one-1", "two-1", "mean", "clips")
        for form in ("png", "svg")
    )
    # One axis is that of a clip alone, two are those of both; the legend is shared.
    of_clips = (tmp_path / "clips_psnr.svg").read_text()
    assert of_clips.count("PSNR, dB (higher is better)") == 2
    assert of_clips.count("gfvc mesh") == 1
    assert all(name in of_clips for name in ("one", "two"))
    drawn = (tmp_path / "mean_psnr.svg").read_text()
    for words in ("gfvc mesh", "vvenc", "kbit/s", "PSNR, dB (higher is better)"):
        assert words in drawn
    assert (tmp_path / "mean_psnr.png").read_bytes().startswith(b"\x89PNG")
    again = tmp_path / "again"
    again.mkdir()
    draw_all(results, again)
    assert (again / "mean_psnr.svg").read_text() == drawn


def test_curves_run_from_few_bits_to_many() -> None:
    points = [point("a", "x", 8.0, 33.0), point("a", "x", 4.0, 30.0)]
    assert curves_to_draw(points, MEASURES["psnr"]) == {"x": [(4.0, 30.0), (8.0, 33.0)]}
    assert curves_to_draw(points, MEASURES["vmaf"]) == {}


def test_the_mean_takes_settings_that_every_clip_has() -> None:
    points = [
        {**point("a", "x", 4.0, 30.0), "label": "QP 40"},
        {**point("b", "x", 6.0, 32.0), "label": "QP 40"},
        {**point("a", "x", 9.0, 36.0), "label": "QP 30"},
    ]
    assert mean_curves(points, ["a", "b"], MEASURES["psnr"]) == {"x": [(5.0, 31.0)]}


HOSTILE = "\x1b[31m[bold]$\\frac{$\u202e\udcff"


def hostile_clips() -> list[ClipResult]:
    results = two_clips()[:1]
    clip = results[0].clip
    assert clip is not None
    clip["name"] = HOSTILE
    for made in results[0].points:
        made["curve"] = f"{made['curve']} {HOSTILE}"
    return results


def test_names_in_plots_are_text(tmp_path: Path) -> None:
    written = draw_all(assemble(Plan(), hostile_clips()), tmp_path)
    drawn = (tmp_path / next(name for name in written if name.endswith(".svg"))).read_text()
    assert r"\x1b[31m[bold]$\frac{$\u202e\xff" in drawn
    assert not set(drawn) & {"\x1b", "\u202e"}


def test_tables_hold_any_name(tmp_path: Path) -> None:
    write_results(tmp_path, assemble(Plan(), hostile_clips()))
    table = (tmp_path / "points.csv").read_text(encoding="utf-8")
    assert r"\x1b[31m[bold]$\frac{$\u202e\xff" in table
    assert not set(table) & {"\x1b", "\u202e"}
    assert read_results(tmp_path / "bench.json")["clips"][0]["name"] == HOSTILE


def test_names_in_tables_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    results = assemble(Plan(), hostile_clips())
    for row in results["bd_rates"]:
        row.update(status="no overlap", gap=1.0)
    _print_rates(results)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    shown = "".join(out.replace("│", "").split())
    assert r"gfvcmesh\x1b[31m[bold]$\frac{$\u202e\xff" in shown
    assert r"against vvenc \x1b[31m[bold]$\frac{$\u202e\xff" in " ".join(out.split())


def test_curves_apart_are_told_as_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    for gap, says in ((1.25, "no overlap, better by 1.25 at least"), (0.0, "no overlap")):
        results = assemble(Plan(), two_clips()[:1])
        row = results["bd_rates"][0]
        row.update(status="no overlap", gap=gap)
        results["bd_rates"] = [row]
        _print_rates(results)
        last = " ".join(capsys.readouterr().out.split()).rpartition(": ")
        assert last[2] == says
        assert why_no_mean(row["status"], gap) == says


def test_without_peers_a_line_says_why_there_are_no_rates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clip,) = two_clips()[:1]
    clip.points = [point for point in clip.points if point["codec"] == "gfvc"]
    _print_rates(assemble(Plan(), [clip]))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gfvc: no Bjøntegaard rates: there are no two curves to compare")
    assert err.count("\n") == 1


def test_of_several_curves_of_a_peer_the_best_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clip,) = two_clips()[:1]
    clip.points += curve("one-1", "vvenc half size", [1.0, 2.0], [31.0, 32.0])
    clip.points += curve("one-1", "x265", RATES, QUALITIES)
    results = assemble(Plan(), [clip])
    assert {row["anchor"] for row in results["bd_rates"]} >= {"vvenc", "vvenc best", "x265"}
    _print_rates(results)
    out = capsys.readouterr().out
    assert "vvenc best" in out
    assert "x265" in out
    assert "half size" not in out
    assert "│ vvenc " not in out.replace("│ vvenc best", "")
