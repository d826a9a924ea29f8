"""Running a benchmark: clips side by side, point by point, keeping what is done."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from base_codec_adapters.errors import BaseCodecError
from base_codec_adapters.temporary import temporary_folder
from gfvc.batch.engine import EngineChoice, Task, completed, open_engine, tell
from gfvc.bench.coding import check_programs
from gfvc.bench.plan import Plan, Settings, check_plan
from gfvc.bench.points import ClipPoints, point_name, read_point
from gfvc.bench.records import MeasuredClip, clip_of
from gfvc.bench.results import ClipResult, assemble, write_results
from gfvc.bench.source_video import ClipName, SourceVideo, name_clips, prepare_reference
from gfvc.errors import GfvcError, InputError, NoProcessesError, OutputError, system_errors
from gfvc.folder_lock import held
from gfvc.json_checking import CheckedObject, read_json
from gfvc.output import replace_text, replaced_when_complete
from gfvc.telling import Notes, unheard
from gfvc.video_reader import probe_video
from models.errors import ModelError
from sei.errors import SeiError

PLAN_FILE = "plan.json"
_PLAN_FORMAT = "gfvc-bench-plan"
_LOCK = ".lock"
_SOURCE = "source.mp4"
_CLIP_FILE = "clip.json"
_MAX_DESCRIPTION_BYTES = 1 << 20  # of clip.json, and of plan.json

# What one point may fail of without ending the benchmark.
_POINT_ERRORS = (GfvcError, ModelError, SeiError, BaseCodecError)


@dataclass(frozen=True, slots=True)
class Step:
    """A point that is done: of which clip, which, and what it cost or why it failed."""

    clip: str
    point: str
    outcome: str


Progress = Callable[[Step, int, int], None]


def run_bench(
    clips: Sequence[Path],
    folder: Path,
    plan: Plan,
    *,
    resume: bool = True,
    engine: EngineChoice | None = None,
    progress: Progress = unheard,
    notes: Notes = unheard,
) -> dict[str, Any]:
    """Measure clips into a folder; return the results object that is written there.

    A point that is in the folder already is not measured again, unless `resume` is False.
    `engine` measures clips side by side (None: one after the other, in this process); a cluster's
    workers find clips and folder by the same names. `notes` is told when it has none, and what of
    the clips a user should know.
    `progress` gets each step with the number of points done and of all. A point that fails is
    named in the results, and the others go on. Raises `InputError` for a clip that cannot be
    read or a plan without points, `OutputError` when the folder cannot be used, `ModelError` or
    `BaseCodecError` when a model or program is not there, `NoProcessesError` when the engine can
    have no processes.
    """
    check_plan(plan)
    check_programs(plan)
    _check_apart(clips, folder)
    named = name_clips(list(clips))
    for clip in clips:
        probe_video(clip)
    with _opened_folder(folder, plan):
        return _run(named, folder, plan, resume, engine, progress, notes)


def _run(
    named: Sequence[ClipName],
    folder: Path,
    plan: Plan,
    resume: bool,
    engine: EngineChoice | None,
    progress: Progress,
    notes: Notes,
) -> dict[str, Any]:
    total = len(named) * len(plan.points())
    done = 0

    def count(step: Step) -> None:
        nonlocal done
        done += 1
        progress(step, done, total)

    places = [(clip, folder / "clips" / clip.identifier) for clip in named]
    if engine is None:
        results = [_run_clip(clip, place, plan, resume, count, notes) for clip, place in places]
    else:
        results = _run_side_by_side(places, plan, resume, engine, count, notes)
    assembled = assemble(plan, results)
    write_results(folder, assembled)
    _draw(folder, assembled)
    return assembled


def _check_apart(clips: Sequence[Path], folder: Path) -> None:
    """Raise `OutputError` for a clip among the results, which are replaced as need be."""
    for clip in clips:
        if Path(os.path.realpath(clip)).is_relative_to(os.path.realpath(folder)):
            raise OutputError(
                f"{clip}: lies in {folder}, where results are replaced; choose another name for "
                "--out"
            )


@contextlib.contextmanager
def _opened_folder(folder: Path, plan: Plan) -> Iterator[None]:
    """Make the folder, or see that an existing one is a benchmark's, and hold it for the block.

    The plan is noted in it.
    """
    with contextlib.ExitStack() as stack:
        with system_errors(OutputError, folder, "cannot be used as a folder"):
            folder.mkdir(parents=True, exist_ok=True)
            entries = {entry.name for entry in folder.iterdir()} - {_LOCK}
            if entries and not _is_plan(folder / PLAN_FILE):
                raise OutputError(
                    f"{folder}: holds other things than a benchmark; choose another name for --out"
                )
            stack.enter_context(held(folder / _LOCK, folder, "benchmark"))
        text = json.dumps({"format": _PLAN_FORMAT, **plan.to_json()}, indent=2)
        replace_text(folder / PLAN_FILE, text + "\n")
        yield


def _is_plan(path: Path) -> bool:
    try:
        plan = read_json(path, _MAX_DESCRIPTION_BYTES)
    except InputError:
        return False
    return isinstance(plan, dict) and plan.get("format") == _PLAN_FORMAT


def _draw(folder: Path, results: dict[str, Any]) -> None:
    from gfvc.bench.plots import draw_all

    ours = frozenset({".png", ".svg"})
    with replaced_when_complete(folder / "plots", force=True, folder_of=ours) as temporary:
        draw_all(results, temporary)


def _run_side_by_side(
    places: Sequence[tuple[ClipName, Path]],
    plan: Plan,
    resume: bool,
    engine: EngineChoice,
    count: Callable[[Step], None],
    notes: Notes,
) -> list[ClipResult]:
    """Each clip by an engine; results in the order of the clips."""
    results: dict[int, ClipResult] = {}

    def hear(message: list[str] | str) -> None:
        if isinstance(message, str):
            notes(message)
        else:
            count(Step(*message))

    # Processes of other machines have other current folders.
    tasks = (
        Task(
            number,
            _run_clip_apart,
            (replace(clip, path=clip.path.absolute()), folder.absolute(), plan, resume),
        )
        for number, (clip, folder) in enumerate(places)
    )
    try:
        with open_engine(engine, hear, notes) as opened:
            for task, future in completed(opened, tasks, retries=1):
                results[task.tag] = future.result()
    except NoProcessesError as error:
        raise NoProcessesError(f"{error}, or measure clip after clip (--jobs 1)") from error
    return [results[number] for number in range(len(places))]


def _run_clip_apart(clip: ClipName, folder: Path, plan: Plan, resume: bool) -> ClipResult:
    return _run_clip(
        clip, folder, plan, resume, lambda step: tell([step.clip, step.point, step.outcome]), tell
    )


def _run_clip(
    clip: ClipName,
    folder: Path,
    plan: Plan,
    resume: bool,
    count: Callable[[Step], None],
    notes: Notes,
) -> ClipResult:
    """All points of a clip. Its pictures are only prepared when there is a point to measure."""
    (folder / "points").mkdir(parents=True, exist_ok=True)
    described = _read_description(clip, folder, plan)
    found: dict[Settings, dict[str, Any]] = {}
    if described is not None and resume:
        found = _points_done(clip, described, folder, plan, count)
    failures: dict[Settings, dict[str, Any]] = {}
    if described is None or _next_point(plan, found, failures) is not None:
        with temporary_folder("gfvc-bench-") as scratch:
            try:
                reference = _prepare(clip, folder, plan, scratch, notes)
            except _POINT_ERRORS as error:
                failed = [
                    _failure(clip, settings, error, count)
                    for settings in plan.points()
                    if settings not in found
                ]
                return ClipResult(None, [], failed)
            is_new = described is None
            described = _describe(clip, folder, plan, reference)
            if is_new and resume:
                found = _points_done(clip, described, folder, plan, count)
            points = ClipPoints(
                clip, _checked(described, folder), plan, reference, folder / "points"
            )
            while (settings := _next_point(plan, found, failures)) is not None:
                try:
                    measured = points.measure(settings)
                except _POINT_ERRORS as error:
                    failures[settings] = _failure(clip, settings, error, count)
                    continue
                found[settings] = measured
                count(Step(clip.name, _title(settings), f"{measured['kbps']:.2f} kbit/s"))
    for settings in plan.points():
        if settings not in found and settings not in failures:
            beyond = f"left out: above {plan.below_kbps:.10g} kbit/s"
            count(Step(clip.name, _title(settings), beyond))
    # In the plan's order, however they came.
    kept = [
        _placed(found[settings], clip, plan, settings)
        for settings in plan.points()
        if settings in found
    ]
    return ClipResult(described, kept, list(failures.values()))


def _next_point(
    plan: Plan, found: Mapping[Settings, Mapping[str, Any]], failed: Container[Settings]
) -> Settings | None:
    """The next point to measure: curve by curve, from the coarsest on.

    What is finer than a point above the plan's rates enters no comparison, and is left out.
    """
    for curve in plan.curves():
        for settings in curve:
            if settings not in found:
                if settings in failed:
                    continue
                return settings
            if found[settings]["kbps"] > plan.below_kbps:
                break
    return None


def _points_done(
    clip: ClipName,
    described: dict[str, Any],
    folder: Path,
    plan: Plan,
    count: Callable[[Step], None],
) -> dict[Settings, dict[str, Any]]:
    """The points of a clip that an earlier run measured."""
    checked = _checked(described, folder)
    found: dict[Settings, dict[str, Any]] = {}
    for settings in plan.points():
        name = point_name(clip, plan, settings)
        point = read_point(folder / "points" / name, checked, settings)
        if point is not None:
            found[settings] = point
            count(Step(clip.name, _title(settings), "done before"))
    return found


def _checked(described: object, folder: Path) -> MeasuredClip:
    """The record of a clip; raise `InputError` for one that cannot be."""
    item = CheckedObject(described, folder / _CLIP_FILE, "run gfvc bench again")
    return clip_of(item, folder.parents[1])


def _title(settings: Settings) -> str:
    return f"{settings.curve}, {settings.label}"


def _failure(
    clip: ClipName, settings: Settings, error: Exception, count: Callable[[Step], None]
) -> dict[str, Any]:
    reason = str(error).strip().splitlines()[0]
    count(Step(clip.name, _title(settings), f"failed: {reason}"))
    return {
        "clip": clip.identifier,
        "codec": settings.kind,
        "curve": settings.curve,
        "label": settings.label,
        "reason": reason,
    }


def _prepare(clip: ClipName, folder: Path, plan: Plan, scratch: Path, notes: Notes) -> SourceVideo:
    with replaced_when_complete(folder / _SOURCE, force=True, sources=[clip.path]) as shown:
        lossless = scratch / "source.mkv"
        return prepare_reference(clip.path, lossless, shown, plan.source, plan.seconds, notes)


def _describe(clip: ClipName, folder: Path, plan: Plan, reference: SourceVideo) -> dict[str, Any]:
    """What results say of a clip; kept, so that a finished clip need not be read again."""
    described = {**_named(clip), **reference.to_json()}
    kept = {**plan.framing(), "clip": described}
    replace_text(folder / _CLIP_FILE, json.dumps(kept, indent=2) + "\n")
    return described


def _named(clip: ClipName) -> dict[str, Any]:
    """What is known of a clip before its pictures are read."""
    return {
        "id": clip.identifier,
        "name": clip.name,
        "sha256": clip.sha256,
        "source": f"clips/{clip.identifier}/{_SOURCE}",
    }


def _read_description(clip: ClipName, folder: Path, plan: Plan) -> dict[str, Any] | None:
    """The description by an earlier run that prepared the same pictures.

    None when there is none, or it was changed so that it is not of this clip.
    """
    try:
        value = read_json(folder / _CLIP_FILE, _MAX_DESCRIPTION_BYTES)
        kept = CheckedObject(value, folder / _CLIP_FILE, "run gfvc bench again")
        for key in ("view", "size", "seconds"):
            kept.equal(key, plan.framing().get(key))
        item = kept.object("clip")
        for key, wanted in _named(clip).items():
            item.equal(key, wanted)
        item.positive("seconds")
        checked = clip_of(item, folder.parents[1])
    except InputError:
        return None
    assert isinstance(value, dict)  # or it could not have been checked
    described: dict[str, Any] = value["clip"]
    return described if checked.source.is_file() else None


def _placed(
    point: dict[str, Any], clip: ClipName, plan: Plan, settings: Settings
) -> dict[str, Any]:
    """A point with its files' paths relative to the benchmark's folder."""
    place = f"clips/{clip.identifier}/points/{point_name(clip, plan, settings)}"
    files = {kind: f"{place}/{name}" for kind, name in point["files"].items()}
    return {**point, "files": files}
