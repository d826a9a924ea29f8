"""The gfvc command as people and programs meet it."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc import __version__
from gfvc.cli.console import progress_bar
from gfvc.cli.parser import COMMANDS, build_parser
from gfvc.demo_clip import RATE
from gfvc.options.encoding import EncodeOptions
from gfvc.video_reader import probe_video
from models.contract import Picture
from tests.gfvc.support import CommandLine, listing, mean_difference, read_all
from tests.gfvc.test_programs import FAKE


def parsers() -> dict[str, argparse.ArgumentParser]:
    [subparsers] = [
        action
        for action in build_parser(*COMMANDS)._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(subparsers.choices)


def test_encode_json(short_clip: Path, tmp_path: Path, command: CommandLine) -> None:
    stream = tmp_path / "out.265"
    started = time.perf_counter()
    keys = ("--key-interval", "4", "--key-pictures", "fixed")
    outcome = command("encode", short_clip, stream, *keys, "--json")
    elapsed = time.perf_counter() - started
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    answer = json.loads(outcome.out)
    size = 8 * stream.stat().st_size
    bits = answer["bits"]
    expected = {
        "frames": 12,
        "fps": 25.0,
        "width": 256,
        "height": 256,
        "shown_width": 256,
        "shown_height": 256,
        "key_pictures": 3,
        "coded_pictures": 3,
        "model": "face",
        "codec": "hevc",
        "bits": {
            "base": size - bits["sei"],
            "sei": bits["sei"],
            "sound": 0,
            "total": size,
        },
        "kbps": pytest.approx(size / 0.48 / 1000),
    }
    assert {name: answer[name] for name in expected} == expected
    assert isinstance(answer["fps"], float)
    assert 0 < bits["sei"] < size
    assert 0 < answer["base_codec_seconds"] < answer["seconds"] <= elapsed
    assert answer["low_confidence_pictures"] == 0
    assert answer.keys() - expected.keys() == {
        "seconds",
        "base_codec_seconds",
        "low_confidence_pictures",
        "fallback_pictures",
        "pictures_from_earlier_keys",
        "target_kbps",
        "trials",
        "key_qp",
        "symbol_price",
        "coded_qp",
        "coded_interval",
        "options",
    }
    assert answer["options"] == EncodeOptions(key_interval=4, key_pictures="fixed").to_json()


def test_decode_json(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    outcome = command("decode", small_stream, tmp_path / "out.mkv", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    answer = json.loads(outcome.out)
    assert answer.pop("seconds") > 0
    assert answer.pop("pictures_as_coded") == 0
    assert answer == {"frames": 12, "fps": 25.0, "width": 256, "height": 256, "model": "mesh"}


def test_without_json_stdout_stays_empty(
    short_clip: Path, small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    for arguments in (
        ("encode", short_clip, tmp_path / "out.265", "--model", "mesh"),
        ("decode", small_stream, tmp_path / "out.mkv"),
    ):
        outcome = command(*arguments)
        assert (outcome.status, outcome.out) == (0, "")
        [line] = outcome.err.splitlines()
        assert line.startswith(f"gfvc: {arguments[2]}: 12 pictures ")


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.y4m", "pictures"])
def test_every_output_shows_the_same_pictures(
    small_stream: Path,
    decoded_small: list[Picture],
    tmp_path: Path,
    command: CommandLine,
    name: str,
) -> None:
    output = tmp_path / name
    assert command("decode", small_stream, output).status == 0
    if output.is_dir():
        files = sorted(output.iterdir())
        assert [file.name for file in files] == [f"{index:06d}.png" for index in range(12)]
        pictures = [
            np.asarray(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB), np.uint8)
            for file in files
        ]
    else:
        video = probe_video(output)
        assert (video.width, video.height, video.rate) == (256, 256, RATE)
        pictures = read_all(output, RATE)
    assert len(pictures) == 12
    # Lossless but for 4:2:0, and for H.264 in MP4.
    limit = {"out.mp4": 3.0, "out.y4m": 2.0}.get(name, 0.0)
    for picture, expected in zip(pictures, decoded_small, strict=True):
        assert mean_difference(picture, expected) <= limit


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option_and_teaches_by_example(command: CommandLine, name: str) -> None:
    outcome = command(name, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    for action in parsers()[name]._actions:
        for option in action.option_strings:
            assert option in outcome.out
        assert action.help, f"{name}: {action.dest} is not explained"
    examples = re.split(r"^examples?:.*$", outcome.out, flags=re.MULTILINE)[1]
    assert f"\n  gfvc {name}" in examples


def test_help_of_the_demo_states_the_range_that_is_taken(command: CommandLine) -> None:
    refused = command("demo", "--seconds", "61")
    assert refused.status == 2
    limits = re.search(r"in ([\d.]+\.\.\d+)", refused.err)
    assert limits is not None
    assert f"({limits[1]}; default: 10)" in command("demo", "--help").out


def test_help_lists_the_commands(command: CommandLine) -> None:
    outcome = command("--help")
    assert outcome.status == 0
    for name, parser in parsers().items():
        assert re.search(rf"^    {name}\s", outcome.out, re.MULTILINE)
        assert parser.description
    assert "exit status: 0 done, 1 failed" in outcome.out
    assert list(parsers()) == list(COMMANDS)


def test_version(command: CommandLine) -> None:
    assert command("--version").out == f"gfvc {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["play", "talk.266"],
        ["encode"],
        ["encode", "talk.mp4"],
        ["encode", "talk.mp4", "talk.266", "--size", "10"],
        ["encode", "talk.mp4", "talk.266", "--size", "big"],
        ["encode", "talk.mp4", "talk.266", "--fps", "0"],
        ["encode", "talk.mp4", "talk.266", "--fps", "25/0"],
        ["encode", "talk.mp4", "talk.266", "--fps", "nan"],
        ["encode", "talk.mp4", "talk.266", "--fps", "1000"],
        ["encode", "talk.mp4", "talk.266", "--key-interval", "0"],
        ["encode", "talk.mp4", "talk.266", "--key-interval", "often"],
        ["encode", "talk.mp4", "talk.266", "--key-qp", "low"],
        ["encode", "talk.mp4", "talk.266", "--crop", "face"],
        ["encode", "talk.mp4", "talk.266", "--codec", "av1"],
        ["decode", "talk.266"],
        ["decode", "talk.266", "talk.mp4", "--loud"],
        ["decode", "", "talk.mp4"],
        ["decode", "talk.266", ""],
        ["edit", "talk.266", "new.266", "--preview", ""],
        ["demo", "--out", "", "--force"],
        ["demo", "--seconds", "0"],
        ["models", "show"],
        ["models", "paint"],
    ],
)
def test_wrong_usage(command: CommandLine, arguments: list[str]) -> None:
    outcome = command(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        ("extract a.266 --id 0 q.jsonl", {"input": Path("a.266"), "output": Path("q.jsonl")}),
        ("extract a.266 --force q.jsonl", {"output": Path("q.jsonl"), "force": True}),
        ("extract a.266 --force -- -q", {"input": Path("a.266"), "output": Path("-q")}),
        ("extract a.266 --force -- --id", {"output": Path("--id"), "force": True}),
        ("extract -- --force -q", {"input": Path("--force"), "output": Path("-q"), "force": False}),
        ("extract a.266 --force", {"output": None, "force": True}),
        ("models import fomm --variant official x", {"name": "fomm", "file": Path("x")}),
        ("models --json show mesh", {"action": "show", "name": "mesh", "file": None}),
        ("bench a.mp4 --quick b.mp4 --out x", {"clips": [Path("a.mp4"), Path("b.mp4")]}),
        ("batch a --out x b -- --fps 5", {"jobs_given": [Path("a"), Path("b")]}),
    ],
)
def test_options_may_stand_between_files(arguments: str, parsed: dict[str, object]) -> None:
    given = arguments.split()
    found = vars(build_parser(given[0]).parse_args(given))
    assert {name: found[name] for name in parsed} == parsed


@pytest.mark.parametrize(
    ("arguments", "unknown"),
    [
        ("extract a.266 --force q.jsonl more", "more"),
        ("inspect a.266 --json b.266", "b.266"),
        ("demo --loud", "--loud"),
        ("extract -- a.266 q.jsonl more", "more"),
        (
            "encode -- -x.mp4 x.266 --force",
            "--force (what follows -- is a name, never an option)",
        ),
        ("inspect -- a.266 --json", "--json (what follows -- is a name, never an option)"),
    ],
)
def test_what_is_too_much_is_told_by_the_command(
    command: CommandLine, arguments: str, unknown: str
) -> None:
    name, *more = arguments.split()
    outcome = command(name, *more)
    assert outcome.status == 2
    assert outcome.err.startswith(f"usage: gfvc {name} ")
    assert outcome.err.endswith(f"gfvc {name}: error: unrecognized arguments: {unknown}\n")


@pytest.mark.parametrize(
    ("text", "pictures"), [("25", 12), ("30000/1001", 14), ("12.5", 6), ("50/2", 12)]
)
def test_rates_as_people_write_them(
    short_clip: Path, tmp_path: Path, command: CommandLine, text: str, pictures: int
) -> None:
    outcome = command(
        "encode", short_clip, tmp_path / "out.265", "--fps", text, "--model", "mesh", "--json"
    )
    assert json.loads(outcome.out)["frames"] == pictures


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_moves_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for stderr, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress_bar("encoding") as (progress, _):
            for done in range(1, 4):
                progress(done, 3)
        assert ("3/3" in stderr.getvalue()) == shown
        assert bool(stderr.getvalue()) == shown


def test_models_are_listed_and_shown(command: CommandLine) -> None:
    listed = command("models")
    assert (listed.status, listed.err) == (0, "")
    assert listed.out.splitlines()[0].split("\t")[0] == "face"
    assert "gfvc:mesh:1" in listed.out
    cards = json.loads(command("models", "--json").out)
    assert [card["name"] for card in cards] == [
        line.split("\t")[0] for line in listed.out.splitlines()
    ]
    engines = {card["name"]: card["runtime"] for card in cards}
    assert (engines["face"], engines["mesh"], engines["fomm"]) == ("onnx", "none", "torch")
    assert "limits: Moves pixels and makes none" in command("models", "show", "mesh").out
    verified = command("models", "verify")
    assert (verified.status, verified.out.splitlines()[0]) == (0, "face: ok")
    unknown = command("models", "show", "mona-lisa")
    assert unknown.status == 1
    assert "'mona-lisa'" in unknown.err


def test_the_demo_leaves_everything_in_one_folder(tmp_path: Path, command: CommandLine) -> None:
    folder = tmp_path / "demo"
    outcome = command("demo", "--out", folder, "--seconds", "0.5", "--json")
    assert outcome.status == 0
    rows = json.loads(outcome.out)
    assert [row["codec"] for row in rows] == ["vvc", "hevc"]
    for row in rows:
        assert row["base_bits"] + row["sei_bits"] == 8 * (folder / row["stream"]).stat().st_size
        assert row["ssim"] > row["repeated_ssim"]
        assert row["landmark_error"] < 0.05
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "decoded_hevc.mp4", "decoded_vvc.mp4", "demo.265", "demo.266", "pictures.png",
        "source.mkv", "summary.json",
    ]  # fmt: skip
    assert json.loads((folder / "summary.json").read_text()) == rows
    again = command("demo", "--out", folder, "--seconds", "0.5")
    assert (again.status, again.err.count("\n")) == (1, 1)
    assert "--force" in again.err


@pytest.mark.parametrize(
    ("number", "status", "says"),
    [
        (signal.SIGINT, 130, "gfvc: interrupted\n"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),
    ],
)
def test_an_interrupted_command_leaves_nothing(
    short_clip: Path, tmp_path: Path, number: int, status: int, says: str
) -> None:
    fake = tmp_path / "ffmpeg"
    body = "Path = __import__('pathlib').Path; Path(sys.argv[0] + '.pid').write_text("
    body += "str(os.getpid())); time.sleep(60)"
    fake.write_text(FAKE.format(python=sys.executable, real="ffmpeg", body=body))
    fake.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "gfvc", "encode", str(short_clip), str(folder / "out.265")],
        env={**os.environ, "GFVC_FFMPEG": str(fake)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid_file = Path(f"{fake}.pid")
    with process:
        try:
            deadline = time.monotonic() + 60
            while not (pid_file.exists() and pid_file.read_text()):
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            assert listing(folder)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (status, "", says)
    assert listing(folder) == {}
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid_file.read_text()}").exists():
        assert time.monotonic() < deadline, "the base encoder still runs"
        time.sleep(0.05)


def test_a_whole_job_says_nothing_but_its_result(short_clip: Path, tmp_path: Path) -> None:
    """In a process of its own, where libraries that chatter at their start would be heard."""
    done = subprocess.run(
        [Path(sys.executable).with_name("gfvc"), "encode", short_clip, tmp_path / "out.265",
         "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["frames"] == 12
    assert done.stderr == ""
