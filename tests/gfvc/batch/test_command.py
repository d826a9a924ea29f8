"""`gfvc batch` as users call it."""

from __future__ import annotations

import hashlib
import json
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from gfvc.batch.folder import opened_folder
from gfvc.batch.identity import content_sha256
from gfvc.batch.jobs import find_jobs
from gfvc.cli.batch_craft import CommandCraft
from gfvc.cli.parser import build_parser
from gfvc.encoder import encode
from gfvc.errors import OutputError
from gfvc.options.encoding import EncodeOptions
from models.files import file_sha256
from sei import NalUnit
from tests.gfvc.support import CommandLine, assert_refused, listing, nal_units, write_units

ONE = ("--jobs", "1")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """A folder of a clip, a file that is none, and one in a sub-folder."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "deep").mkdir()
    shutil.copy(short_clip, folder / "deep" / "talk.mkv")
    (folder / "broken.mp4").write_bytes(b"nothing to see")
    return folder


@pytest.mark.usefixtures("here")
def test_there_and_back_again(
    clips: Path, tmp_path: Path, command: CommandLine, short_clip: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("batch", clips, "--out", out, *ONE)
    options = ("--", "--key-qp", "40", "--codec", "hevc", "--model", "mesh")
    outcome = command(*arguments, "--json", *options)
    assert outcome.status == 1
    answer = json.loads(outcome.out)
    assert (answer["clips"], answer["done"], answer["failed"]) == (2, 1, 1)
    [failure] = answer["failures"]
    assert failure["input"] == str(clips / "broken.mp4")
    assert "not a video that can be read" in failure["reason"]
    lines = outcome.err.splitlines()
    assert any(line.startswith("gfvc: 1/2 ") for line in lines)
    assert f"gfvc: failed: {failure['reason']}" in lines
    alone = tmp_path / "alone.265"
    summary = encode(short_clip, alone, EncodeOptions(key_qp=40, codec="hevc", model="mesh"))
    stream = out / "deep" / "talk.265"
    assert stream.read_bytes() == alone.read_bytes()
    record = json.loads(stream.with_name("talk.265.json").read_text())
    assert record["result"]["bits"] == summary.to_json()["bits"]
    assert record["options"] == list(options[1:])
    assert {"gfvc", "model", "encoder"} == set(record["versions"])
    assert answer["kbps"] == pytest.approx(summary.kilobits_per_second)
    assert 50 < record["peak_megabytes"] < 5000

    for same in (
        options,
        ("--", "--model=mesh", "--codec=hevc", "--key-qp=40"),
        (*options, "--timeout", "99", "--fallback", "auto", "--key-interval", "auto"),
    ):
        outcome = command(*arguments, *same)
        assert outcome.status == 1
        assert "deep/talk.265: done before" in outcome.err

    back = tmp_path / "back"
    outcome = command("batch", out, "--do", "decode", "--suffix", ".mkv", "--out", back, *ONE)
    assert outcome.status == 0, outcome
    assert (back / "deep" / "talk.mkv").is_file()
    checks = tmp_path / "checks"
    outcome = command("batch", out, "--do", "verify", "--out", checks, *ONE, "--json")
    assert outcome.status == 0, outcome
    assert (checks / "deep" / "talk.jsonl").is_file()
    outcome = command("batch", out, "--do", "inspect", "--out", checks / "all", *ONE, "--json")
    assert outcome.status == 0, outcome
    messages = (checks / "all" / "deep" / "talk.jsonl").read_text().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in messages)
    assert len(messages) > 1
    coarse = tmp_path / "coarse"
    outcome = command(
        *("batch", out, "--do", "transcode", "--out", coarse, *ONE, "--", "--precision", "6")
    )
    assert outcome.status == 0, outcome
    assert (coarse / "deep" / "talk.265").is_file()


@pytest.mark.usefixtures("here")
def test_folders_of_pictures_are_known_by_all_that_is_in_them(
    tmp_path: Path, command: CommandLine, small_stream: Path
) -> None:
    rows = tmp_path / "list.csv"
    rows.write_text(f"input,output\n{small_stream},talk\n")
    out = tmp_path / "out"
    arguments = ("batch", rows, "--do", "decode", "--out", out, *ONE)
    assert command(*arguments).status == 0
    pictures = listing(out / "talk")
    assert len(pictures) > 1
    outcome = command(*arguments)
    assert outcome.status == 0, outcome
    assert "talk: done before" in outcome.err
    assert listing(out / "talk") == pictures
    # With other options they are made anew, in place of ours.
    outcome = command(*arguments, "--", "--fps", "10")
    assert outcome.status == 0, outcome
    assert "talk: done before" not in outcome.err

    max((out / "talk").iterdir()).unlink()
    changed = listing(out / "talk")
    outcome = command(*arguments)
    assert outcome.status == 1
    assert f"{out / 'talk'}: exists already" in outcome.err
    assert listing(out / "talk") == changed


def test_folders_differ_by_names_and_content(tmp_path: Path) -> None:
    whole = tmp_path / "a"
    whole.mkdir()
    for name in ("000000.png", "000001.png"):
        (whole / name).write_text(name)
    hashes = [content_sha256(whole), content_sha256(shutil.copytree(whole, tmp_path / "b"))]
    assert hashes[0] == hashes[1]
    assert hashes[0] is not None
    (whole / "000001.png").write_text("another")
    hashes.append(content_sha256(whole))
    (whole / "000001.png").rename(whole / "000002.png")
    hashes.append(content_sha256(whole))
    (whole / "mine.txt").touch()
    hashes.append(content_sha256(whole))
    (whole / "mine.txt").unlink()
    (whole / "000000.png").unlink()
    hashes.append(content_sha256(whole))
    assert len(set(hashes)) == 5
    (whole / "deep").mkdir()
    assert content_sha256(whole) is None
    assert content_sha256(tmp_path / "none") is None


@pytest.mark.usefixtures("here")
def test_records_of_before_count(tmp_path: Path, command: CommandLine, small_stream: Path) -> None:
    """Their hash was of options as they were written."""
    out = tmp_path / "out"
    arguments = ("batch", small_stream, "--do", "inspect", "--out", out, *ONE)
    assert command(*arguments, "--", "--bits", "--summary").status == 0
    path = out / f"{small_stream.stem}.jsonl.json"
    record = json.loads(path.read_text())
    record["options"] = ["--bits", "--json", "--summary"]
    content = {
        "scheme": 1,
        "verb": "inspect",
        "input": record["input_sha256"],
        "files": [],
        "options": record["options"],
        "versions": record["versions"],
    }
    text = json.dumps(content, sort_keys=True)
    record["identity"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(record))
    outcome = command(*arguments, "--", "--summary", "--bits")
    assert "done before" in outcome.err
    outcome = command(*arguments, "--", "--summary")
    assert "done before" not in outcome.err
    assert json.loads(path.read_text())["options"] == ["--summary"]


@pytest.mark.program
@pytest.mark.usefixtures("here")
def test_benchmarks_of_many_clips(
    clips: Path, tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Plots, which take most of the time, are drawn in tests of gfvc bench.
    monkeypatch.setattr("gfvc.bench.runner._draw", lambda *_: None)
    out = tmp_path / "out"
    arguments = ("batch", clips / "deep", "--do", "bench", "--out", out, *ONE)
    asked = ("--peers", "none", "--models", "mesh", "--key-qps", "42", "--size", "128")
    options = ("--", "--quick", "--no-vmaf", "--seconds", "0.1", *asked)
    outcome = command(*arguments, "--json", *options)
    assert outcome.status == 0, outcome
    assert json.loads(outcome.out)["done"] == 1
    results = json.loads((out / "talk" / "bench.json").read_text())
    assert [point["codec"] for point in results["points"]] == ["gfvc"]
    record = json.loads((out / "talk.json").read_text())
    assert record["result"] == results["mean_bd_rates"]
    assert record["output_sha256"] == file_sha256(out / "talk" / "bench.json")

    outcome = command(*arguments, *options)
    assert outcome.status == 0, outcome
    assert "talk: done before" in outcome.err

    stream = out / "talk" / results["points"][0]["files"]["stream"]
    stream.write_bytes(b"another")
    outcome = command(*arguments, *options)
    assert outcome.status == 0, outcome
    assert "talk: done before" not in outcome.err
    assert stream.stat().st_size * 8 == results["points"][0]["bits"]

    shutil.rmtree(out / "talk" / "clips")
    outcome = command(*arguments, *options)
    assert outcome.status == 0, outcome
    assert "talk: done before" not in outcome.err
    assert stream.is_file()


def test_a_stream_that_is_inconsistent_is_a_failure_with_its_findings(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(small_stream)
    base = next(unit for unit in units if unit.is_suffix_sei)
    twice = [copy for unit in units for copy in ([unit, unit] if unit is base else [unit])]
    write_units(tmp_path / "odd.265", twice)
    for _ in range(2):  # What failed is tried again, and its findings are the batch's own.
        outcome = command(
            "batch", tmp_path / "odd.265", "--do", "verify", "--out", tmp_path / "out", *ONE
        )
        assert outcome.status == 1
        [failed] = [line for line in outcome.err.splitlines() if line.startswith("gfvc: failed:")]
        assert "inconsistent (errors:" in failed
        findings = (tmp_path / "out" / "odd.jsonl").read_text().splitlines()
        assert any(json.loads(line)["severity"] == "error" for line in findings)


@pytest.mark.usefixtures("here")
def test_a_damaged_message_is_a_failure_with_the_others(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(small_stream)
    odd = [
        NalUnit(unit.codec, unit.data[:-6] + b"\xff\x80") if unit.is_suffix_sei else unit
        for unit in units
    ]
    write_units(tmp_path / "odd.265", odd)
    arguments = ("batch", tmp_path / "odd.265", "--do", "inspect", "--out", tmp_path / "out", *ONE)
    for _ in range(2):
        outcome = command(*arguments)
        assert outcome.status == 1
        [failed] = [line for line in outcome.err.splitlines() if line.startswith("gfvc: failed:")]
        assert "odd.265: NAL unit" in failed
        messages = (tmp_path / "out" / "odd.jsonl").read_text().splitlines()
        assert any("error" in json.loads(line) for line in messages)


@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_what_cannot_be_read_leaves_no_output(
    tmp_path: Path, command: CommandLine, verb: str
) -> None:
    (tmp_path / "empty.265").touch()
    for _ in range(2):
        outcome = command(
            "batch", tmp_path / "empty.265", "--do", verb, "--out", tmp_path / "out", *ONE
        )
        assert outcome.status == 1
        assert f"failed: {tmp_path / 'empty.265'}: is empty" in outcome.err
        assert not (tmp_path / "out" / "empty.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none"], "none: no such file or folder"),
        (["clips", "--", "--key-qp", "99"], "after --: gfvc encode says: argument --key-qp"),
        (["clips", "--", "more.mp4"], "unrecognized arguments: more.mp4"),
        (
            ["clips", "--", "--", "--fps"],
            "unrecognized arguments: --fps (what follows -- is a name",
        ),
        (["clips", "--", "--help"], "options after -- are for each clip; gfvc encode --help"),
        (["clips", "--", "--quality", "low", "--key-qp", "30"], "three ways to say"),
        (["clips", "--", "--model", "nobody"], "no model is named 'nobody'"),
        (["clips", "--", "--json"], "--json is an option of gfvc batch itself; give it before --"),
        (["clips", "--", "--force"], "--force is an option of gfvc batch itself"),
        (["clips", "--do", "inspect", "--", "--js"], "--json is an option of gfvc batch itself"),
        (["clips", "--do", "inspect", "--", "--plot", "a.png"], "all clips would draw it"),
        (["clips", "--do", "bench", "--", "--out", "x"], "--out is an option of gfvc batch itself"),
        (["clips", "--do", "bench", "--", "more.mp4"], "name them before --"),
        (["clips", "--do", "bench", "--", "--o=x"], "--out is an option of gfvc batch itself"),
        (["clips", "--engine", "dask"], "--engine dask needs --scheduler"),
        (["clips", "--do", "transcode"], "nothing to do"),
        (["clips", "--suffix", ".avi"], "batch: --suffix .avi: no suffix of a stream; use one of"),
        (
            ["clips", "--suffix", ".265", "--", "--codec", "vvc"],
            "batch: --suffix .265: the suffix means hevc and --codec says vvc",
        ),
        (
            ["clips/codec.csv", "--suffix", ".265"],
            "codec.csv, line 2: --suffix .265: the suffix means hevc and --codec says vvc",
        ),
        (
            ["clips/broken.mp4", "--do", "decode", "--suffix", ".png"],
            "batch: --suffix .png: cannot be written; use one of .mp4, .mkv, .y4m, or name outputs",
        ),
        (
            ["clips/list.csv"],
            "list.csv, line 2: gfvc encode says: unrecognized arguments: --nonsense",
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    clips: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(clips, work / "clips")
    (work / "clips" / "list.csv").write_text("input,options\nbroken.mp4,--nonsense\n")
    (work / "clips" / "codec.csv").write_text("input,options\nbroken.mp4,--codec vvc\n")
    (work / "out.png").mkdir()
    monkeypatch.chdir(work)
    first, *others = arguments
    assert_refused(command, "batch", first, "--out", "out", *others, folder=work, says=says)


@pytest.mark.parametrize(
    "arguments",
    [
        ["clips"],
        ["--out", "x"],
        ["clips", "--out", "x", "--part", "3"],
        ["clips", "--out", "x", "--part", "4/3"],
        ["clips", "--out", "x", "--part", "0/3"],
        ["clips", "--out", "x", "--do", "dance"],
        ["clips", "--out", "x", "--retries", "many"],
        ["clips", "--out", "x", "--suffix", "mp4"],
        ["clips", "--out", "x", "--scheduler", "head"],
        ["clips", "--out", ""],
        ["", "--out", "x"],
    ],
)
def test_usage(command: CommandLine, arguments: list[str]) -> None:
    assert command("batch", *arguments).status == 2


def test_a_folder_that_is_a_link_to_nowhere(
    clips: Path, tmp_path: Path, command: CommandLine
) -> None:
    out = tmp_path / "out"
    out.symlink_to(tmp_path / "gone")
    outcome = command("batch", clips, "--out", out)
    assert outcome.status == 1
    assert "which is not there; remove the link" in outcome.err
    assert not (tmp_path / "gone").exists()


def test_clips_of_a_list_have_options_of_their_own(
    clips: Path, tmp_path: Path, command: CommandLine
) -> None:
    (tmp_path / "list.csv").write_text(
        f"input,output,options\n{clips / 'deep/talk.mkv'},fine.265,--key-qp 30\n"
        f"{clips / 'deep/talk.mkv'},coarse.265,--key-qp 45\n"
    )
    out = tmp_path / "out"
    outcome = command("batch", tmp_path / "list.csv", "--out", out, *ONE, "--", "--model", "mesh")
    assert outcome.status == 0, outcome
    fine, coarse = (out / f"{name}.265" for name in ("fine", "coarse"))
    assert fine.stat().st_size > 1.2 * coarse.stat().st_size
    assert "2" in outcome.out  # the table
    assert not [name for name in listing(out) if "/.gfvc-" in name and "batch" not in name]


def test_a_long_clip_in_parts(short_clip: Path, tmp_path: Path, command: CommandLine) -> None:
    out = tmp_path / "out"
    asked = ("--", "--codec", "hevc", "--model", "mesh")
    arguments = ("batch", short_clip, "--out", out, "--split", "0.16")
    outcome = command(*arguments, "--jobs", "2", "--json", *asked)
    assert outcome.status == 0, outcome
    assert "short.265: 3 of 3 parts" in outcome.err
    record = json.loads((out / "short.265.json").read_text())
    restarts = record["result"]["options"]["restarts"]
    assert len(restarts) == 2
    given = [text for number in restarts for text in ("--restart-at", str(number))]
    assert command("encode", short_clip, tmp_path / "one.265", *given, *asked[1:]).status == 0
    assert (out / "short.265").read_bytes() == (tmp_path / "one.265").read_bytes()
    outcome = command(*arguments, *ONE, *asked)
    assert outcome.status == 0
    assert "short.265: done before" in outcome.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--", "--bitrate", "3k"], "cannot be split with --bitrate"),
        (["--do", "decode"], "--split is about encode"),
    ],
)
def test_what_cannot_be_split(
    clips: Path, tmp_path: Path, command: CommandLine, options: list[str], says: str
) -> None:
    out = tmp_path / "out"
    assert_refused(
        command,
        "batch",
        clips,
        "--out",
        out,
        "--split",
        "auto",
        *options,
        folder=tmp_path,
        says=says,
    )


def test_a_folder_that_another_batch_works_in(
    clips: Path, tmp_path: Path, command: CommandLine
) -> None:
    out = tmp_path / "out"
    with opened_folder(out):
        outcome = command("batch", clips, "--out", out, *ONE)
    assert (outcome.status, outcome.out) == (1, "")
    [line] = outcome.err.splitlines()
    assert line.startswith(f"gfvc batch: {out}: another batch works in it (process ")


@pytest.mark.parametrize(
    ("do", "name", "says"),
    [
        ("encode", "d/", "line 2: d/: ends in a slash, as a folder's name; name a file"),
        ("encode", "a.mkv", "line 2: a.mkv: no suffix of a stream; use one of .266"),
        ("encode", "a.265", "line 2: a.265: the suffix means hevc and --codec says vvc"),
        ("verify", "d/", "line 2: d/: ends in a slash"),
        ("transcode", "d/", "line 2: d/: ends in a slash"),
        ("decode", "a.avi", "line 2: a.avi: cannot write .avi; use .mp4"),
        ("decode", "a.mp4/", "line 2: a.mp4/: ends in a slash, as a folder's name, and has the"),
    ],
)
def test_a_list_names_outputs_that_can_be(
    tmp_path: Path, command: CommandLine, do: str, name: str, says: str
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"a clip")
    rows = tmp_path / "list.jsonl"
    options = ["--codec", "vvc"] if do == "encode" else []
    wrong = {"input": "a.mp4", "output": name, "options": options}
    rows.write_text(
        "\n".join(map(json.dumps, [{"input": "a.mp4", "output": "b"}, wrong])), encoding="utf-8"
    )
    outcome = command("batch", rows, "--do", do, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith("gfvc batch: ")
    assert f"list.jsonl, {says}" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("suffix", "says"),
    [
        (".mp4", "of a byte stream a byte stream is made"),
        (".266", "the suffix means vvc and the stream is hevc"),
    ],
)
def test_a_transcoded_stream_has_a_name_of_its_codec(
    tmp_path: Path, command: CommandLine, small_stream: Path, suffix: str, says: str
) -> None:
    """That is found out before there is any work, also where a later clip has the wrong name."""
    folder = tmp_path / "in"
    folder.mkdir()
    stream = Path(shutil.copy(small_stream, folder / "talk.265"))
    rows = folder / "list.csv"
    rows.write_text(f"input,output\ntalk.265,a.265\ntalk.265,b{suffix}\n")
    asked = "--do", "transcode", "--out", tmp_path / "out"
    line = assert_refused(command, "batch", rows, *asked, folder=tmp_path, says=says)
    assert "list.csv, line 3: " in line
    assert_refused(command, "batch", stream, *asked, "--suffix", suffix, folder=tmp_path, says=says)


def test_what_a_stream_is_counts_and_not_its_own_name(tmp_path: Path, small_stream: Path) -> None:
    craft = CommandCraft("transcode")
    for name in ("talk.266", "talk.bin", "talk.265"):
        stream = Path(shutil.copy(small_stream, tmp_path / name))
        for output in ("a.265", "a.bin", "a.bit"):
            craft.check_output(stream, Path(output), ())
    (tmp_path / "empty.265").touch()
    craft.check_output(tmp_path / "empty.265", Path("a.266"), ())
    with pytest.raises(OutputError, match="the stream is hevc"):
        craft.check_output(tmp_path / "talk.bin", Path("a.266"), ())


def test_folders_in_a_list_end_in_a_slash(tmp_path: Path) -> None:
    decode, bench = CommandCraft("decode"), CommandCraft("bench")
    (tmp_path / "v1.0").mkdir()
    for craft, name in ((decode, "d/"), (decode, "d"), (decode, "v1.0"), (bench, "d/")):
        assert craft.problem_of(name, tmp_path, ()) is None


def test_rows_of_a_list_share_parsers_and_equal_options(
    tmp_path: Path, small_stream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser for each row took 2 ms of it."""
    built: list[tuple[str, ...]] = []
    parsed: list[list[str]] = []
    parse = ArgumentParser.parse_args

    def counted_parser(*verbs: str) -> ArgumentParser:
        built.append(verbs)
        return build_parser(*verbs)

    def counted_parsing(self: ArgumentParser, given: list[str]) -> Namespace:
        parsed.append(given)
        return parse(self, given)

    monkeypatch.setattr("gfvc.cli.parser.build_parser", counted_parser)
    monkeypatch.setattr(ArgumentParser, "parse_args", counted_parsing)
    # Options that no other test has, for what others had parsed is kept.
    rows = "".join(f"{small_stream},{n}.266,--timeout {7000 + n % 3}\n" for n in range(60))
    (tmp_path / "list.csv").write_text("input,output,options\n" + rows)
    jobs = find_jobs([tmp_path / "list.csv"], tmp_path / "out", CommandCraft("encode").naming)
    assert len(jobs) == 60
    assert len(built) <= 1
    assert len(parsed) == 3


def test_what_a_caller_does_to_parsed_options_changes_no_others() -> None:
    craft = CommandCraft("encode")
    craft.parsed(("--key-qp", "30")).key_qp = 5
    assert craft.parsed(("--key-qp", "30")).key_qp == 30
