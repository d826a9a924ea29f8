"""The page of a run: what is on it, in which order, and how much of it fits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from base_codec_adapters.temporary import temporary_folder
from gfvc.bench.curves import NO_RATES
from gfvc.bench.records import MeasuredClip, Point
from gfvc.errors import InputError, OutputError
from gfvc.face_square import DRAWN_SIDE
from gfvc.metrics import MEASURES, Measure
from gfvc.options.benchmarking import ReportOptions
from gfvc.output import check_writable, replaced_when_complete
from gfvc.report.bench_run import BenchRun, RateRow, read_bench_run
from gfvc.report.charts import bits_chart, swatch
from gfvc.report.choices import Comparison, comparisons, worst_pictures, worst_rates
from gfvc.report.curves import clip_charts, mean_charts
from gfvc.report.media import FaceVideos, Media, cut_faces, pictures_at
from gfvc.scaling import Size
from gfvc.stream.marking import GENERATED
from models.contract import Picture
from sei import printable
from sei.escaping import cut

WORST = 3
"""Worst pictures shown by each measure."""

WORST_APART_SECONDS = 0.5
_WORST_MEASURES = ("landmark_error", "face_ssim")
_DIGITS = 4
_NAMED = 8  # of measures that nobody knows
_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What came of a report: its size in bytes, its clips, and what had to be left out."""

    bytes: int
    clips: int
    left_out: tuple[str, ...]


def write_report(
    folder: Path, output: Path, options: ReportOptions | None = None, *, force: bool = False
) -> ReportSummary:
    """Write the page of the run of `gfvc bench` in a folder; the same run gives the same page.

    What does not fit or cannot be read is named on the page. Raises `InputError` for a folder
    without such a run, or of faces alone where whole pictures are asked for, `OutputError` when the
    page cannot be written.
    """
    options = options or ReportOptions()
    if output.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"{output}: a report is an HTML page; use one of {', '.join(_SUFFIXES)}")
    run = read_bench_run(folder)
    check_writable(output, force=force)
    if options.view == "whole" and run.side is not None:
        raise InputError(f"{folder}: is of faces alone; measure with gfvc bench --view whole first")
    with (
        replaced_when_complete(output, force=force, sources=_files_of(run)) as temporary,
        temporary_folder("gfvc-report-") as scratch,
    ):
        faces = FaceVideos(scratch) if options.view == "face" else None
        page = _Assembly(run, Media(int(options.max_megabytes * 1_000_000)), faces)
        content = page.render().encode("utf-8")
        temporary.write_bytes(content)
    return ReportSummary(len(content), len(run.clips), tuple(page.left_out))


def _files_of(run: BenchRun) -> list[Path]:
    return [
        run.folder / "bench.json",
        *(clip.source for clip in run.clips),
        *(point.video for point in run.points),
    ]


@dataclass(slots=True)
class _ShownComparison:
    """A comparison on the page; `number` is its place in the clip's choice.

    `bits` are those of each picture by what they are of.
    """

    number: int
    ours: Point
    peer: Point | None
    ratio: float
    bits: Mapping[str, Sequence[int]]
    bits_chart: Markup | None
    worst: list[_Worst] = field(default_factory=list)


@dataclass(slots=True)
class _WorstPicture:
    """A picture of the source and the same decoded, as data URIs, and its scores as text."""

    number: int
    source: str
    decoded: str
    scores: str


@dataclass(slots=True)
class _Worst:
    """The worst pictures by a measure."""

    title: str
    pictures: list[_WorstPicture]


@dataclass(slots=True)
class _ShownClip:
    """All of a clip that is on the page; `player` is what the script gets.

    `size` is that of the videos as they are played.
    """

    clip: MeasuredClip
    size: Size
    comparisons: list[_ShownComparison]
    player: dict[str, Any]
    charts: list[Markup]
    legend: list[tuple[Markup, str]]
    points: Sequence[Point]
    rates: list[RateRow]
    worst_rates: list[RateRow]


class _Assembly:
    """Puts a page together; `left_out` names what is not on it."""

    def __init__(self, run: BenchRun, media: Media, faces: FaceVideos | None) -> None:
        self._run = run
        self._media = media
        self._faces = faces
        curves = dict.fromkeys(point.curve for point in run.points)
        self._series = {curve: number for number, curve in enumerate(curves)}
        self.left_out: list[str] = []
        if run.unknown:
            names = cut(", ".join(run.unknown[:_NAMED]))
            more = len(run.unknown) - _NAMED
            rest = f" and {more} more" if more > 0 else ""
            self._leave_out(f"measures that this gfvc does not know: {names}{rest}")

    def render(self) -> str:
        """The page as HTML."""
        from gfvc.report.template import render_page

        run = self._run
        chosen = [comparisons(run.points_of(clip)) for clip in run.clips]
        # What is seen first of each clip goes in first, then the worst pictures, then the rest.
        fitting = [self._first_videos(*pair) for pair in zip(run.clips, chosen, strict=True)]
        clips = [
            self._clip(clip, first, of_clip)
            for clip, first, of_clip in zip(run.clips, fitting, chosen, strict=True)
        ]
        return render_page(
            run=run,
            clips=clips,
            measures=run.measures,
            mean_rates=_mean_table(run),
            no_rates=NO_RATES,
            compared=_compared_measures(run),
            mean_charts=mean_charts(run, self._series),
            legend=self._legend(run.points),
            left_out=self.left_out,
            videos=self._media.videos,
            titles={measure.name: measure.title for measure in run.measures},
            worst_apart=WORST_APART_SECONDS,
            shows_faces=self._faces is not None and run.side is None,
        )

    def _leave_out(self, sentence: str) -> None:
        self.left_out.append(printable(sentence))

    def _first_videos(self, clip: MeasuredClip, chosen: Sequence[Comparison]) -> list[Comparison]:
        """The most equal comparison of each curve, as far as their videos fit."""
        curves: dict[str, Comparison] = {}
        for comparison in chosen:
            curves.setdefault(comparison.ours.curve, comparison)
        return [each for each in curves.values() if self._take_videos(clip, each)]

    def _take_videos(self, clip: MeasuredClip, comparison: Comparison) -> bool:
        points = [point for point in (comparison.ours, comparison.peer) if point is not None]
        try:
            shown = [self._source(clip), *(self._video(clip, point) for point in points)]
            reason = self._media.add_videos(shown)
        except InputError as error:
            reason = str(error)
        if reason is not None:
            self._leave_out(f"{clip.name}: videos of {comparison.ours.name}: {reason}")
        return reason is None

    def _source(self, clip: MeasuredClip) -> Path:
        """The video that is shown of a clip's source; raises `InputError` as `FaceVideos`."""
        return self._shown(clip, clip.source, None)

    def _video(self, clip: MeasuredClip, point: Point) -> Path:
        """The video that is shown of a point; raises `InputError` as `FaceVideos`."""
        return self._shown(clip, point.video, GENERATED if point.is_ours else None)

    def _shown(self, clip: MeasuredClip, video: Path, mark: str | None) -> Path:
        return video if self._faces is None else self._faces.of(video, clip, mark)

    def _clip(
        self, clip: MeasuredClip, first: Sequence[Comparison], chosen: Sequence[Comparison]
    ) -> _ShownClip:
        worst = [self._worst(clip, comparison) for comparison in first]
        curves = {comparison.ours.curve for comparison in chosen}
        others = [each for each in chosen[len(curves) :] if self._take_videos(clip, each)]
        shown = [
            _ShownComparison(
                number, each.ours, each.peer, each.bits_ratio, bits, _bits_chart(clip, bits)
            )
            for number, each in enumerate([*first, *others])
            for bits in [_bits(each)]
        ]
        for comparison, pictures in zip(shown, worst, strict=False):
            comparison.worst = pictures
        points = self._run.points_of(clip)
        rates = list(self._run.rates_of(clip))
        return _ShownClip(
            clip=clip,
            size=self._size(clip),
            comparisons=shown,
            player=self._player(clip, shown),
            charts=clip_charts(self._run, clip, self._series),
            legend=self._legend(points),
            points=points,
            rates=rates,
            worst_rates=worst_rates(rates),
        )

    def _size(self, clip: MeasuredClip) -> Size:
        """Width and height of the videos of a clip."""
        if self._faces is None or clip.square is None:
            return clip.width, clip.height
        return DRAWN_SIDE, DRAWN_SIDE

    def _legend(self, points: Sequence[Point]) -> list[tuple[Markup, str]]:
        curves = {point.curve: not point.is_ours for point in points}
        return [
            (swatch(self._series[curve], is_peer=is_peer), curve)
            for curve, is_peer in curves.items()
        ]

    def _player(self, clip: MeasuredClip, shown: Sequence[_ShownComparison]) -> dict[str, Any]:
        """What the script needs to play a clip and to say what is seen."""
        return {
            "rate": float(clip.rate),
            "pictures": clip.pictures,
            "source": self._media.video(self._source(clip)) if shown else None,
            "comparisons": [
                [self._played(clip, point) for point in (each.ours, each.peer) if point is not None]
                for each in shown
            ],
        }

    def _played(self, clip: MeasuredClip, point: Point) -> dict[str, Any]:
        return {
            "video": self._media.video(self._video(clip, point)),
            "caption": f"{point.name}, {point.kbps:.2f} kbit/s",
            "bits": point.picture_bits,
            "scores": {
                MEASURES[name].title: [_rounded(value) for value in point.picture_scores[name]]
                for name in _WORST_MEASURES
                if name in point.picture_scores
            },
        }

    def _worst(self, clip: MeasuredClip, comparison: Comparison) -> list[_Worst]:
        """The worst pictures of a comparison's own point by each of two measures."""
        point = comparison.ours
        apart = max(1, round(WORST_APART_SECONDS * clip.rate))
        numbers = {
            name: worst_pictures(point.picture_scores.get(name, ()), MEASURES[name], WORST, apart)
            for name in _WORST_MEASURES
        }
        wanted = sorted({number for some in numbers.values() for number in some})
        try:
            sources = _faces_at(clip.source, clip, wanted)
            decoded = _faces_at(point.video, clip, wanted)
        except InputError as error:
            self._leave_out(f"{clip.name}: worst pictures of {point.name}: {error}")
            return []
        drawn: dict[int, _WorstPicture] = {}
        for number in dict.fromkeys(number for some in numbers.values() for number in some):
            uris = self._media.add_pictures([sources[number], decoded[number]])
            if uris is None:
                self._leave_out(
                    f"{clip.name}: worst pictures of {point.name}: over the page's size limit"
                )
                break
            drawn[number] = _WorstPicture(number, uris[0], uris[1], _picture_scores(point, number))
        return [
            _Worst(MEASURES[name].title, [drawn[number] for number in some if number in drawn])
            for name, some in numbers.items()
            if any(number in drawn for number in some)
        ]


def _faces_at(video: Path, clip: MeasuredClip, numbers: Collection[int]) -> dict[int, Picture]:
    """Some pictures of a clip's video, by number; of whole pictures the face, which is measured.

    Raises `InputError` when the video lacks one, or has no place for the face square.
    """
    pictures = pictures_at(video, clip.rate, numbers)
    return dict(zip(pictures, cut_faces(pictures.values(), clip.square, video), strict=True))


def _bits(comparison: Comparison) -> dict[str, Sequence[int]]:
    """Bits of each picture, of gfvc's base layer and SEI messages apart where the run tells."""
    curves: dict[str, Sequence[int]] = {}
    for point in (comparison.ours, comparison.peer):
        if point is None or point.picture_bits is None:
            continue
        if len(point.picture_bits_of) > 1:
            for name, bits in point.picture_bits_of.items():
                curves[f"{point.name}, {name}"] = bits
        else:
            curves[point.name] = point.picture_bits
    return curves


def _bits_chart(clip: MeasuredClip, curves: Mapping[str, Sequence[int]]) -> Markup | None:
    """Bits over time; None when no point has bits of its pictures."""
    if not curves:
        return None
    return bits_chart(f"bits of each picture of {clip.name}", curves, float(clip.rate))


def _picture_scores(point: Point, number: int) -> str:
    values: Mapping[str, float | None] = {
        MEASURES[name].title: point.picture_scores[name][number]
        for name in _WORST_MEASURES
        if name in point.picture_scores
    }
    return ", ".join(
        f"{title} {'none' if value is None else format(value, f'.{_DIGITS}g')}"
        for title, value in values.items()
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _compared_measures(run: BenchRun) -> list[Measure]:
    """The measures that mean rates are of."""
    names = {row.measure for row in run.rates_of(None)}
    return [measure for measure in run.measures if measure.name in names]


def _mean_table(run: BenchRun) -> dict[tuple[str, str], dict[str, RateRow]]:
    """Mean rates by gfvc's curve and the curve it is compared with, then by measure."""
    table: dict[tuple[str, str], dict[str, RateRow]] = {}
    for row in run.rates_of(None):
        table.setdefault((row.test, row.anchor), {})[row.measure] = row
    return table
