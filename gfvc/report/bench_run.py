"""A finished run of `gfvc bench`, checked as it is read; docs/bench.md is the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gfvc.bench.curves import Status, badness, why_no_mean
from gfvc.bench.records import MeasuredClip, Point, clip_of, point_of
from gfvc.bench.results import RESULTS_FILE, read_results
from gfvc.errors import InputError, system_errors
from gfvc.json_checking import CheckedObject
from gfvc.metrics import MEASURES, Better, Measure

MAX_CELLS = 500_000
"""Most scores that a page has room for, points by measures; each is in a table and in a plot."""

MAX_PLOTS = 20_000
"""Most plots of a page, clips by measures."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """A Bjøntegaard rate: of a clip, or of all when `clip` is None.

    `percent` is None where there is none; `remark` says why, or what to make of it. `badness`
    orders rates of a clip from good to bad (`gfvc.bench.curves.badness`).
    """

    clip: str | None
    measure: str
    anchor: str
    test: str
    percent: float | None
    remark: str
    badness: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class BenchRun:
    """All that a report shows of a run. `failures` are sentences.

    `side` is that of the squares around faces; None of whole pictures, which have their own sizes.
    `measures` are those that any point has a score of, `unknown` names of those that gfvc has not.
    `rate_bounds` are the lowest and the highest kbit/s that Bjøntegaard rates are of.
    """

    folder: Path
    program: str
    side: int | None
    seconds: float | None
    rate_bounds: tuple[float | None, float | None]
    missing: tuple[str, ...]
    measures: tuple[Measure, ...]
    unknown: tuple[str, ...]
    clips: tuple[MeasuredClip, ...]
    points: tuple[Point, ...]
    rates: tuple[RateRow, ...]
    failures: tuple[str, ...]
    _points_of: dict[str, list[Point]] = field(init=False, repr=False, default_factory=dict)
    _rates_of: dict[str | None, list[RateRow]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Sort by clips once, where looking through all for each clip takes its time."""
        for point in self.points:
            self._points_of.setdefault(point.clip, []).append(point)
        for row in self.rates:
            self._rates_of.setdefault(row.clip, []).append(row)

    def points_of(self, clip: MeasuredClip) -> tuple[Point, ...]:
        """The points of a clip."""
        return tuple(self._points_of.get(clip.identifier, ()))

    def rates_of(self, clip: MeasuredClip | None) -> tuple[RateRow, ...]:
        """The rates of a clip; of None those that are means."""
        return tuple(self._rates_of.get(None if clip is None else clip.identifier, ()))


def read_bench_run(folder: Path) -> BenchRun:
    """Read what `gfvc bench` left in a folder.

    Raises `InputError` when the folder holds no such results, when a value is not what it
    should be, when there are more than `MAX_CELLS` or `MAX_PLOTS`, or when a file named there lies
    outside the folder. Files need not be there.
    """
    path = folder / RESULTS_FILE
    with system_errors(InputError, folder, "cannot be read"):
        if not folder.is_dir():
            kind = "is not a folder" if folder.exists() else "no such folder"
            raise InputError(f"{folder}: {kind}; give the folder that gfvc bench wrote")
        if not path.is_file():
            raise InputError(f"{folder}: holds no {RESULTS_FILE}; give a finished gfvc bench run")
    results = CheckedObject(read_results(path), path, "run gfvc bench again")
    plan = results.object("plan")
    # Results from before whole pictures were coded have no view.
    is_whole = plan.has("view") and plan.choice("view", {"whole": True, "face": False})
    clips = tuple(clip_of(item, folder) for item in results.objects("clips"))
    by_identifier = {clip.identifier: clip for clip in clips}
    if len(by_identifier) != len(clips):
        raise InputError(f"{path}: two clips have one id; run gfvc bench again")
    points = tuple(point_of(item, folder, by_identifier) for item in results.objects("points"))
    measures, unknown = _measures(results, points)
    return BenchRun(
        folder=folder,
        program=f"gfvc {results.text('gfvc')}, Python {results.text('python')}, "
        f"{results.text('processor')}",
        side=None if is_whole else plan.whole("size"),
        seconds=plan.number_or_none("seconds"),
        rate_bounds=(plan.number_or_none("above_kbps"), plan.number_or_none("below_kbps")),
        missing=plan.texts("missing"),
        measures=measures,
        unknown=unknown,
        clips=clips,
        points=points,
        rates=(
            *(_mean_rate(item, by_identifier) for item in results.objects("mean_bd_rates")),
            *(_clip_rate(item) for item in results.objects("bd_rates")),
        ),
        failures=tuple(
            f"{item.text('clip')}, {item.text('curve')}, {item.text('label')}: "
            f"{item.text('reason')}"
            for item in results.objects("failures")
        ),
    )


def _measures(
    results: CheckedObject, points: Sequence[Point]
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """The measures that points have scores of, and names of others that gfvc does not know.

    Raises `InputError` where one stands there twice, or a page has no room for all.
    """
    found: dict[str, Measure] = {}
    for item in results.objects("measures"):
        measure = _measure(item)
        if measure.name in found:
            raise item.wrong("name", "a name of its own")
        found[measure.name] = measure
    known = tuple(
        measure
        for name, measure in found.items()
        if name in MEASURES and any(point.scores.get(name) is not None for point in points)
    )
    for kind, count, most in (
        ("scores", len(points) * len(known), MAX_CELLS),
        ("plots", len({point.clip for point in points}) * len(known), MAX_PLOTS),
    ):
        if count > most:
            raise InputError(
                f"{results.source}: a page of it would have {count} {kind}, where {most} are the "
                "most; give gfvc bench fewer clips, for what it measured is kept"
            )
    return known, tuple(name for name in found if name not in MEASURES)


def _measure(item: CheckedObject) -> Measure:
    directions = {better.value: better for better in Better}
    return Measure(
        item.text("name"), item.text("title"), item.text("unit"), item.choice("better", directions)
    )


def _mean_rate(item: CheckedObject, clips: Mapping[str, MeasuredClip]) -> RateRow:
    compared, left_out = item.whole("clips"), item.whole("left_out")
    remark = f"{compared} of {compared + left_out} clips"
    # Results from before the worst clip was told have none.
    if item.has("worst"):
        worst = item.object("worst")
        percent = worst.number_or_none("percent")
        how = _remark(worst) if percent is None else f"{percent:+.1f} %"
        remark += f"; worst {worst.choice('clip', clips).name}: {how}"
    return RateRow(
        clip=None,
        measure=item.text("measure"),
        anchor=item.text("anchor"),
        test=item.text("test"),
        percent=item.number_or_none("percent"),
        remark=remark,
    )


def _clip_rate(item: CheckedObject) -> RateRow:
    percent = item.number_or_none("percent")
    return RateRow(
        clip=item.text("clip"),
        measure=item.text("measure"),
        anchor=item.text("anchor"),
        test=item.text("test"),
        percent=percent,
        remark=_remark(item),
        badness=badness(item.text("status"), percent, item.number_or_none("gap")),
    )


def _remark(item: CheckedObject) -> str:
    """What is to be said of a comparison of two curves."""
    status = item.text("status")
    if status == Status.COMPARED.value:
        return f"overlap {100 * item.number('overlap'):.0f} %"
    return why_no_mean(status, item.number_or_none("gap"))
