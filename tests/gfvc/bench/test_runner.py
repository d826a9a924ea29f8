"""A whole benchmark of a short clip: what is on disk, resuming, failing points, bad folders."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.batch.engine import EngineChoice
from gfvc.bench.plan import Peer, Plan
from gfvc.bench.points import point_name, read_point
from gfvc.bench.records import clip_of
from gfvc.bench.results import ClipResult, assemble, read_results, write_results
from gfvc.bench.runner import Step, run_bench
from gfvc.bench.source_video import name_clips
from gfvc.demo_clip import RATE, make_demo_scene
from gfvc.errors import InputError, OutputError
from gfvc.face_square import FaceSquare
from gfvc.folder_lock import held
from gfvc.json_checking import CheckedObject
from gfvc.stream.reader import read_face_stream
from gfvc.video_writer import write_video
from models import UnknownModelError
from models.contract import Picture
from models.metrics.similarity import psnr
from tests.gfvc.report.test_tampered import mutated
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, listing, no_notes, read_all

PLAN = Plan(key_qps=(42,), peers=(Peer("x265", (51,), "ultrafast", (2,)),), size=128, seconds=0.2)
PICTURES = 5


class Steps(list[Step]):
    """Remembers the steps of a run."""

    def __call__(self, step: Step, done: int, total: int) -> None:
        self.append(step)
        assert done == len(self) <= total

    @property
    def outcomes(self) -> list[str]:
        return [step.outcome for step in self]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """The folder of a finished benchmark."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    steps = Steps()
    run_bench([short_clip], folder, PLAN, progress=steps)
    assert len(steps) == 2
    assert all(step.outcome.endswith("kbit/s") for step in steps)
    return folder


@pytest.mark.program
def test_everything_of_a_point_is_there(bench: Path) -> None:
    results = read_results(bench / "bench.json")
    (clip,) = results["clips"]
    assert (clip["name"], clip["pictures"], clip["width"]) == ("short", PICTURES, 128)
    assert (bench / clip["source"]).is_file()
    ours, peer = results["points"]
    assert (ours["codec"], peer["codec"], peer["curve"]) == ("gfvc", "peer", "x265 half size")
    for point in (ours, peer):
        stream = bench / point["files"]["stream"]
        assert point["bits"] == 8 * stream.stat().st_size
        assert point["kbps"] == pytest.approx(point["bits"] / 200)
        assert (bench / point["files"]["decoded"]).is_file()
        for values in point["picture_scores"].values():
            assert len(values) == PICTURES
        mean = np.mean(point["picture_scores"]["psnr"])
        assert point["scores"]["psnr"] == pytest.approx(mean, rel=1e-5)
        bits = point["picture_bits"]
        assert len(bits) == PICTURES
        assert 0.5 * point["bits"] < sum(bits) <= point["bits"]
        parts = point["picture_bits_of"].values()
        assert bits == [sum(of_picture) for of_picture in zip(*parts, strict=True)]
    assert sum(peer["picture_bits"]) == peer["bits"]
    base_layer, messages = (ours["picture_bits_of"][name] for name in ("base layer", "SEI"))
    assert base_layer[0] > 0
    assert base_layer[1:-1] == [0] * (PICTURES - 2)
    # The key picture has the base message, and one of what it drives at least has another.
    assert messages[0] > 0
    assert sum(messages[1:]) >= 0
    assert ours["picture_scores"]["sharpness"][0] == pytest.approx(1, abs=0.2)
    assert ours["scores"]["landmark_error"] < 0.1
    assert (bench / "points.csv").is_file()
    assert (bench / "plots" / f"{clip['id']}_psnr.svg").is_file()
    assert results["failures"] == []


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_what_is_done_is_not_done_again(bench: Path, short_clip: Path) -> None:
    before = listing(bench)
    steps = Steps()
    run_bench([short_clip], bench, PLAN, progress=steps)
    assert steps.outcomes == ["done before"] * 2
    assert listing(bench) == before


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_only_what_is_missing_is_measured(bench: Path, short_clip: Path) -> None:
    results = read_results(bench / "bench.json")
    ours, peer = results["points"]
    (bench / peer["files"]["stream"]).unlink()
    kept = (bench / ours["files"]["stream"]).stat().st_mtime_ns
    steps = Steps()
    again = run_bench([short_clip], bench, PLAN, progress=steps)
    assert sorted(steps.outcomes) == sorted(["done before", f"{peer['kbps']:.2f} kbit/s"])
    assert [point["scores"] for point in again["points"]] == [ours["scores"], peer["scores"]]
    assert (bench / ours["files"]["stream"]).stat().st_mtime_ns == kept


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_nothing_is_measured_beyond_the_rates_that_count(tmp_path: Path, short_clip: Path) -> None:
    ladder = Peer("x265", (31, 41, 51), "ultrafast", (2,))
    plan = dataclasses.replace(PLAN, models=(), peers=(ladder,), vmaf=False, below_kbps=1000)
    steps = Steps()
    results = run_bench([short_clip], tmp_path / "out", plan, progress=steps)
    rates = {point["label"]: point["kbps"] for point in results["points"]}
    assert list(rates) == ["CRF 31", "CRF 41", "CRF 51"]
    # From the coarsest on, the first that is above a bound is the last one.
    bound = (rates["CRF 51"] + rates["CRF 41"]) / 2
    plan = dataclasses.replace(plan, below_kbps=bound)
    steps = Steps()
    results = run_bench([short_clip], tmp_path / "new", plan, progress=steps)
    assert [point["label"] for point in results["points"]] == ["CRF 41", "CRF 51"]
    assert [step.point for step in steps] == [f"x265 half size, CRF {crf}" for crf in (51, 41, 31)]
    assert steps.outcomes[2] == f"left out: above {bound:g} kbit/s"
    assert not results["failures"]


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_a_point_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, command: CommandLine
) -> None:
    blank = np.full((128, 128, 3), 90, np.uint8)
    clip = write_video(tmp_path / "blank.mkv", [blank] * 3, RATE)
    arguments = ["--peers", "x265", "--quick", "--key-qps", "42", "--size", "128", "--no-vmaf"]
    arguments += ["--variant", "strict:fallback=never"]
    outcome = command("bench", clip, "--out", tmp_path / "out", *arguments)
    assert outcome.status == 1
    (failed,) = [line for line in outcome.err.splitlines() if "gfvc: failed: " in line]
    assert "strict, key QP 42" in failed
    assert "no face" in failed
    results = read_results(tmp_path / "out" / "bench.json")
    assert len(results["failures"]) == 1
    assert [point["codec"] for point in results["points"]] == ["gfvc"] + ["peer"] * 6
    assert results["points"][0]["faces_skipped"] == 3
    assert results["points"][0]["scores"]["landmark_error"] is None


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_whole_pictures(tmp_path: Path, command: CommandLine) -> None:
    """Of the demo's scene: all codecs code all of it, and the face is measured in its square."""
    clip = write_video(tmp_path / "scene.mkv", make_demo_scene(0.2), RATE)
    out = tmp_path / "out"
    arguments = ["--view", "whole", "--size", "192", "--key-qps", "42", "--models", "mesh"]
    arguments += ["--quick", "--native-peers", "--peers", "x265", "--below", "1000"]
    outcome = command("bench", clip, "--out", out, *arguments)
    assert outcome.status == 0, outcome.err
    results = read_results(out / "bench.json")
    plan, (described,) = results["plan"], results["clips"]
    assert (plan["view"], plan["size"], plan["below_kbps"]) == ("whole", 192, 1000)
    assert (described["width"], described["height"]) == (342, 192)
    square = FaceSquare(**described["face_square"])
    assert square.fits(342, 192)
    ours, *peers = results["points"]
    assert [point["curve"] for point in peers] == ["x265"] * 3
    # Where it was measured is where it was drawn.
    stream = read_face_stream(out / ours["files"]["stream"], no_notes)
    assert {unit.face_square for unit in stream.units} == {square}
    sources = read_all(out / described["source"], RATE)
    assert len(sources) == PICTURES
    for point in results["points"]:
        decoded = read_all(out / point["files"]["decoded"], RATE)
        assert decoded[0].shape == sources[0].shape == (192, 342, 3)
        of_files = np.mean([psnr(*pair) for pair in zip(sources, decoded, strict=True)])
        assert point["scores"]["psnr"] == pytest.approx(of_files, abs=1.5)
        assert point["scores"]["seam"] > 0
        assert point["scores"]["vmaf"] is not None
    assert 0 < ours["scores"]["landmark_error"] < 0.1
    # The same folder has room for the face alone, and knows each from the other.
    again = command("bench", clip, "--out", out, *arguments)
    assert again.err.count("done before") == 4
    face = ["--view", "face", *arguments[2:]]
    assert command("bench", clip, "--out", out, *face).err.count("done before") == 0
    assert read_results(out / "bench.json")["clips"][0]["face_square"] is None


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
def test_clips_side_by_side(tmp_path: Path, demo_pictures: list[Picture]) -> None:
    clips = [
        write_video(tmp_path / f"{name}.mkv", demo_pictures[start : start + 2], RATE)
        for name, start in (("first", 0), ("second", 6))
    ]
    steps = Steps()
    plan = Plan(models=(), peers=(Peer("x265", (51,), "ultrafast"),), size=128, vmaf=False)
    results = run_bench(
        clips, tmp_path / "out", plan, engine=EngineChoice(workers=2), progress=steps
    )
    assert [clip["name"] for clip in results["clips"]] == ["first", "second"]
    assert {step.clip for step in steps} == {"first", "second"}
    assert len(results["points"]) == 2


@pytest.mark.program
def test_a_changed_point_is_one_that_can_be_used_or_none(
    bench: Path, short_clip: Path, tmp_path: Path
) -> None:
    (clip,) = name_clips([short_clip])
    folder = bench / "clips" / clip.identifier
    described = json.loads((folder / "clip.json").read_text())["clip"]
    record = clip_of(CheckedObject(described, folder, ""), bench)
    settings = PLAN.points()[1]
    place = tmp_path / "point"
    shutil.copytree(folder / "points" / point_name(clip, PLAN, settings), place)
    point = json.loads((place / "point.json").read_text())
    used = refused = 0
    for number in range(200):
        (place / "point.json").write_text(json.dumps(mutated(point, number)))
        read = read_point(place, record, settings)
        if read is None:
            refused += 1
            continue
        used += 1
        write_results(tmp_path, assemble(PLAN, [ClipResult(described, [read])]))
        assert len(read_results(tmp_path / "bench.json")["points"]) == 1
    assert used > 5
    assert refused > 50


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("key", ["id", "name", "source", "fps", "pictures", "width", "seconds"])
def test_a_changed_description_of_a_clip_is_made_again(
    bench: Path, short_clip: Path, key: str
) -> None:
    [path] = bench.glob("clips/*/clip.json")
    before = path.read_text()
    changed = json.loads(before)
    changed["clip"][key] = {"source": "../../../etc/passwd"}.get(key, "\ud800")
    path.write_text(json.dumps(changed))
    run_bench([short_clip], bench, PLAN)
    assert path.read_text() == before


@pytest.mark.usefixtures("no_plots")
def test_a_clip_among_the_results_is_refused(short_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    clip = out / "talk.mkv"
    clip.write_bytes(short_clip.read_bytes())
    link = tmp_path / "link.mkv"
    link.symlink_to(clip)
    for given in (clip, link):
        with pytest.raises(OutputError, match="where results are replaced"):
            run_bench([given], out, PLAN)
    assert list(listing(out)) == ["talk.mkv"]


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all else of a run of five pictures."""
    monkeypatch.setattr("gfvc.bench.runner._draw", lambda *_: None)


@pytest.fixture
def nothing_is_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("coding began")

    monkeypatch.setattr("gfvc.bench.runner._run_clip", fail)


@pytest.mark.usefixtures("nothing_is_coded")
def test_bad_requests_fail_before_anything_is_coded(tmp_path: Path, short_clip: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(short_clip.read_bytes())
    with pytest.raises(InputError, match=r"copy\.mkv: is the same clip as"):
        run_bench([short_clip, copy], tmp_path / "out", PLAN)
    with pytest.raises(InputError, match=r"absent\.mp4: no such file$"):
        run_bench([tmp_path / "absent.mp4"], tmp_path / "out", PLAN)
    with pytest.raises(UnknownModelError, match="no model is named 'nobody'"):
        run_bench([short_clip], tmp_path / "out", Plan(models=("nobody",)))
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(InputError, match=r"noise\.mp4: not a video that can be read"):
        run_bench([short_clip, tmp_path / "noise.mp4"], tmp_path / "out", PLAN)
    assert not (tmp_path / "out").exists()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "plan.json").write_text(json.dumps({"a": "house"}))
    with pytest.raises(OutputError, match="holds other things than a benchmark"):
        run_bench([short_clip], tmp_path / "taken", PLAN)
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        run_bench([short_clip], copy, PLAN)


@pytest.mark.usefixtures("nothing_is_coded")
def test_one_benchmark_at_a_time_works_in_a_folder(tmp_path: Path, short_clip: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with held(folder / ".lock", folder, "benchmark"):
        says = f"another benchmark works in it .process {os.getpid()} of"
        with pytest.raises(OutputError, match=says):
            run_bench([short_clip], folder, PLAN)
    assert set(listing(folder)) == {".lock"}
    with pytest.raises(AssertionError, match="coding began"):
        run_bench([short_clip], folder, PLAN)


def test_points_that_fail_of_the_same_are_one_line(
    bench: Path, short_clip: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gfvc.bench.runner._run_clip", fail_all)
    monkeypatch.setattr("gfvc.bench.runner._draw", lambda *_: None)
    outcome = command("bench", short_clip, "--out", bench.parent / "failing", "--quick")
    assert outcome.status == 1
    failed = [line for line in outcome.err.splitlines() if "gfvc: failed: " in line]
    assert failed == ["gfvc: failed: a-1, 2 points: too dark", "gfvc: failed: a-1, c, 3: too slow"]


def fail_all(*_: object) -> ClipResult:
    kind = {"clip": "a-1", "codec": "gfvc", "curve": "c"}
    reasons = enumerate(["too dark", "too dark", "too slow"], 1)
    failures = [{**kind, "label": str(label), "reason": reason} for label, reason in reasons]
    return ClipResult(None, [], failures)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "x", "--peers", "h261"],
        ["--out", "x", "--key-qps", "many"],
        ["--out", "x", "--jobs", "0"],
        ["--out", "x", "--view", "half"],
        ["--out", "x", "--seconds", "nan"],
    ],
)
def test_usage(command: CommandLine, arguments: list[str]) -> None:
    assert command("bench", "clip.mp4", *arguments).status == 2


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ("100", "--view face wants a --size that is a multiple of 8"),
        ("640x360", "give --size as one number, or add --view whole"),
    ],
)
def test_a_face_alone_is_a_square(
    command: CommandLine, tmp_path: Path, size: str, says: str
) -> None:
    arguments = ("bench", "a.mp4", "--out", tmp_path / "out", "--size", size)
    assert_refused(command, *arguments, folder=tmp_path, says=says)


@pytest.mark.usefixtures("no_plots")
def test_whole_pictures_that_would_be_too_small_are_named(
    tmp_path: Path, command: CommandLine
) -> None:
    blank = np.full((96, 640, 3), 90, np.uint8)
    clip = write_video(tmp_path / "banner.mkv", [blank], RATE)
    arguments = ["--view", "whole", "--size", "320x320", "--quick", "--peers", "none"]
    outcome = command("bench", clip, "--out", tmp_path / "out", *arguments)
    assert outcome.status == 1
    assert f"{clip}: is 640x96, and would come out as 320x48" in outcome.err


def test_a_bad_variant_is_one_line(command: CommandLine, tmp_path: Path) -> None:
    outcome = command("bench", "a.mp4", "--out", tmp_path / "out", "--variant", "dense")
    assert outcome.status == 1
    assert outcome.err.startswith("gfvc bench: --variant 'dense' is not NAME:option=value")
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.program
@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("engine", [None, EngineChoice("local", 2)], ids=["here", "apart"])
def test_what_is_noted_of_a_clip_is_told(
    engine: EngineChoice | None, short_clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clip.ts"
    ffmpeg("-i", short_clip, "-c:v", "mpeg2video", "-q:v", "2", path)
    data = path.read_bytes()
    with av.open(str(path)) as container:
        places = [packet.pos or 0 for packet in container.demux(video=0) if packet.size]
    path.write_bytes(data[: places[3] + 188] + data[places[3] + 2 * 188 :])
    notes: list[str] = []
    plan = dataclasses.replace(PLAN, key_qps=())
    run_bench([path], tmp_path / "out", plan, engine=engine, notes=notes.append)
    assert [note for note in notes if note.startswith(f"{path}: damaged at about 0.")] == notes
    assert len(notes) == 1
