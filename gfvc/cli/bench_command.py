"""Measure rate and quality of gfvc on clips, beside conventional codecs.

Every clip is cropped and scaled as gfvc codes it: to a square around the face, or, with --view
whole, to whole pictures. Then it is coded at several rates by gfvc and by the peers. Measured are
landmarks, the opening of lids and lips, PSNR, SSIM and its kin, sharpness, flicker and VMAF;
docs/measures.md defines each. The folder gets bench.json with everything, tables
(CSV), plots, and the streams and decoded videos. Points that are in the folder already are not
measured again, so a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.cli.arguments import add_options, add_out, parsed_options
from sei.escaping import printable

if TYPE_CHECKING:
    from gfvc.bench.plan import Plan
    from gfvc.bench.runner import Step
    from gfvc.options.benchmarking import BenchOptions

HELP = "measure rate and quality on clips, beside VVC, HEVC and AV1"
EPILOG = """\
examples:
  gfvc bench talk.mp4 --out bench --quick
  gfvc bench clips/*.mp4 --out bench --jobs 2
  gfvc bench talk.mp4 --out whole --view whole --size 360
  gfvc bench talk.mp4 --out bench --models mesh,fomm --key-qps 27,32,37 --peers vvenc,x265,svtav1
  gfvc bench talk.mp4 --out bench --variant dense:key_interval=50

exit status: 1 also when a point failed; the others are in the results
"""

MEGABYTES = 1500
"""Memory that a process takes which measures clips."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.benchmarking import BenchOptions
    from gfvc.options.sharing import EngineOptions

    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP", help="video files")
    add_out(parser, "folder for results, made or added to")
    add_options(parser, BenchOptions)
    parser.add_argument(
        "--quick",
        action="store_const",
        const="quick",
        dest="preset",
        help="short for --preset quick: four seconds of each clip, few points",
    )
    add_options(parser, EngineOptions)
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep points that are in DIR already (default), or measure all again",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the mean Bjøntegaard rates as JSON"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.batch.engine import EngineChoice
    from gfvc.bench.runner import run_bench
    from gfvc.cli.console import answer, note, step_progress
    from gfvc.metrics.learned import learned_measures_absent
    from gfvc.options.benchmarking import BenchOptions
    from gfvc.options.sharing import EngineOptions

    plan = _plan(parsed_options(BenchOptions, options))
    engine = EngineChoice.of(parsed_options(EngineOptions, options), MEGABYTES)
    for sentence in (*plan.missing, *learned_measures_absent()):
        note(sentence)
    with step_progress("bench", "points") as tell:
        results = run_bench(
            options.clips,
            options.out,
            plan,
            resume=options.resume,
            engine=None if engine.is_one_by_one else engine,
            progress=lambda step, done, total: tell(_line(step), done, total),
            notes=note,
        )
    if options.json:
        answer(results["mean_bd_rates"])
    else:
        _print_rates(results)
    note(f"results, plots and videos are in {options.out}")
    for line in _failed(results["failures"]):
        note(f"failed: {line}")
    return 1 if results["failures"] else 0


def _plan(options: BenchOptions) -> Plan:
    """The preset, with what else was asked for."""
    from dataclasses import replace

    from gfvc.bench.plan import native, parse_variants, preset
    from gfvc.errors import InputError

    plan = preset(options.preset, options.peers, options.view)
    if options.native_peers:
        plan = replace(plan, peers=native(plan.peers))
    try:
        variants = parse_variants(options.variant)
    except ValueError as error:
        raise InputError(f"--variant {error}") from None
    return replace(
        plan,
        models=options.models or plan.models,
        key_qps=tuple(sorted(options.key_qps or plan.key_qps)),
        seconds=options.seconds or plan.seconds,
        size=options.size,
        above_kbps=options.above,
        below_kbps=options.below or plan.below_kbps,
        vmaf=plan.vmaf and not options.no_vmaf,
        variants={**plan.variants, **variants},
    )


def _failed(failures: list[dict[str, Any]]) -> list[str]:
    """What failed and why: a line for all points of a clip that failed of the same."""
    points: dict[tuple[str, str], list[str]] = {}
    for failure in failures:
        point = f"{failure['curve']}, {failure['label']}"
        points.setdefault((failure["clip"], failure["reason"]), []).append(point)
    return [
        f"{clip}, {failed[0] if len(failed) == 1 else f'{len(failed)} points'}: {reason}"
        for (clip, reason), failed in points.items()
    ]


def _line(step: Step) -> str:
    return f"{step.clip}: {step.point}: {step.outcome}"


def _print_rates(results: dict[str, Any]) -> None:
    """Mean Bjøntegaard rates: a row for each curve and peer, a column for each measure.

    Of a peer with several curves only the best of them; bd_rates.csv has all.
    """
    from gfvc.bench.curves import NO_RATES, Status, why_no_mean
    from gfvc.cli.console import note, print_table

    if not results["mean_bd_rates"]:
        note(NO_RATES)
        return
    titles = {measure["name"]: measure["title"] for measure in results["measures"]}
    anchors = {row["anchor"] for row in results["mean_bd_rates"]}
    means = [row for row in results["mean_bd_rates"] if _is_shown(row["anchor"], anchors)]
    shown = [name for name in titles if any(row["measure"] == name for row in means)]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in means:
        percent = "none" if row["percent"] is None else f"{row['percent']:+.1f}"
        cell = f"{percent} ({row['clips']}/{row['clips'] + row['left_out']})"
        rows.setdefault((row["test"], row["anchor"]), {})[row["measure"]] = cell
    console = print_table(
        "Bjøntegaard rates, mean over clips, % (clips compared / of)",
        ["gfvc", "against", *(titles[name] for name in shown)],
        (
            [*map(_cell, curves), *(cells.get(name, "") for name in shown)]
            for curves, cells in rows.items()
        ),
        texts=2,
        width=max(100, 30 + 16 * len(shown)),
    )
    apart = [
        row
        for row in results["bd_rates"]
        if row["status"] == Status.NO_OVERLAP.value and _is_shown(row["anchor"], anchors)
    ]
    for row in apart:
        console.print(
            printable(
                f"{row['clip']}: {row['test']} against {row['anchor']}, {titles[row['measure']]}: "
                f"{why_no_mean(row['status'], row['gap'])}"
            ),
            highlight=False,
            markup=False,
        )


def _is_shown(anchor: str, anchors: set[str]) -> bool:
    """Whether a curve is the best of its encoder's, or its encoder has no other."""
    best = f"{anchor.split()[0]} best"
    return anchor == best or best not in anchors


def _cell(name: str) -> str:
    """A name in a table: brackets in it are no markup."""
    from rich.markup import escape

    return escape(printable(name))
