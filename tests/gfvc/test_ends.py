"""How the program ends: signals, streams that are closed or full, little memory, no home."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters.errors import ProgramFailedError
from gfvc.cli.failures import failure_of
from gfvc.cli.memory import (
    DATA_SHARE,
    LEAST_MEGABYTES,
    MESSAGES_ONLY_MEGABYTES,
    MemoryLimitError,
    require_memory,
)
from gfvc.demo_clip import RATE
from gfvc.errors import OutputError
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import CommandLine, listing

GFVC = [sys.executable, "-m", "gfvc"]

SMALL = ["--fallback", "always", "--view", "face", "--size", "64"]
"""All is small ordinary video, where any encoding will do."""


def run(
    arguments: Sequence[object],
    *,
    before: str = "",
    cwd: Path | None = None,
    program: Sequence[str] = GFVC,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run gfvc in a process of its own; `before` is what a shell does first, `$@` the command."""
    return subprocess.run(
        ["sh", "-c", f'{before}\nexec "$@"', "sh", *program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **environment},
    )


def piped(arguments: Sequence[object], redirections: str) -> subprocess.CompletedProcess[str]:
    """Run gfvc with redirections of the shell."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirections}', "sh", *GFVC, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# Signals

# Sends itself a signal when a module is first asked for: whatever is being imported then.
SIGNALLED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
sys.argv[0] = "gfvc"
from gfvc.cli.main import run
run()
"""
MODULES = ["argparse", "gfvc.cli.encode_command", "numpy", "cv2", "mediapipe", "av"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("number", "says"),
    [(signal.SIGINT, "gfvc: interrupted\n"), (signal.SIGTERM, ""), (signal.SIGHUP, "")],
)
def test_a_signal_while_libraries_are_loaded(
    short_clip: Path, tmp_path: Path, module: str, number: int, says: str
) -> None:
    script = SIGNALLED.format(module=module, number=int(number))
    arguments = ["encode", short_clip, tmp_path / "out.265"]
    done = run(arguments, program=[sys.executable, "-c", script])
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", says)
    assert listing(tmp_path) == {}


def test_a_signal_that_is_ignored_stays_ignored(short_clip: Path, tmp_path: Path) -> None:
    """As `nohup` has it: the terminal is closed, and the work goes on."""
    script = SIGNALLED.format(module="av", number=int(signal.SIGHUP))
    arguments = ["encode", short_clip, tmp_path / "out.265", *SMALL]
    done = run(arguments, before="trap '' HUP", program=[sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    assert list(listing(tmp_path)) == ["out.265"]


SWALLOWED = """
import gc, os, signal, sys, time
from gfvc.cli import process
from gfvc.ending import end_on_signals
end_on_signals()
class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
Swallows()
try:
    time.sleep(20)
except KeyboardInterrupt:
    sys.exit(3)
"""


PRINTED = """
import os, signal, sys, time
from gfvc.ending import end_on_signals
end_on_signals()
def forgets():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())  # as PyErr_Print does
forgets()
try:
    time.sleep(20)
except KeyboardInterrupt:
    sys.exit(3)
"""


@pytest.mark.parametrize("script", [SWALLOWED, PRINTED], ids=["destructor", "library"])
def test_a_signal_that_is_swallowed_comes_again(script: str) -> None:
    done = run([], program=[sys.executable, "-c", script])
    assert (done.returncode, done.stderr) == (3, "")


# Standard streams


def test_a_reader_that_has_enough_is_no_failure(small_stream: Path) -> None:
    for arguments in (["inspect", small_stream], ["extract", small_stream], ["--help"]):
        done = piped(arguments, "| head -n 1; echo status $? >&2")
        assert done.stdout.count("\n") == 1
        assert done.stderr == "status 0\n", arguments
    many = ["inspect", small_stream, "--json"]
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -c 1; echo ${PIPESTATUS[0]}', "sh", *GFVC, *map(str, many)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("{0\n", "")


@pytest.mark.parametrize("action", ["inspect", "extract", "verify", "models", "--help"])
def test_a_full_disk_under_standard_output_is_named(small_stream: Path, action: str) -> None:
    arguments = [action, small_stream] if action in ("inspect", "extract", "verify") else [action]
    done = piped(arguments, "> /dev/full")
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if not line.startswith("gfvc: ")]
    said = lines or done.stderr.splitlines()
    assert said[0].endswith("standard output: cannot be written (No space left on device)")
    assert str(small_stream) not in said[0]


def test_closed_standard_output_is_named_where_it_is_needed(
    small_stream: Path, short_clip: Path, tmp_path: Path
) -> None:
    done = piped(["inspect", small_stream], ">&-")
    assert done.returncode == 1
    assert done.stderr == "gfvc inspect: standard output: cannot be written (Bad file descriptor)\n"
    done = piped(["encode", short_clip, tmp_path / "out.265", *SMALL], ">&-")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_work_goes_on_where_nobody_can_be_told(
    short_clip: Path, tmp_path: Path, redirections: str
) -> None:
    done = piped(["encode", short_clip, tmp_path / "out.265", *SMALL], redirections)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(listing(tmp_path)) == ["out.265"]
    done = piped(["encode", tmp_path / "none.mp4", tmp_path / "two.265"], redirections)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_closed_standard_input_is_told_as_such() -> None:
    done = piped(["inspect", "-"], "<&-")
    assert done.returncode == 1
    assert done.stderr == "gfvc inspect: -: standard input is closed\n"


def test_standard_output_that_does_not_block_is_waited_for(small_stream: Path) -> None:
    arguments = [*GFVC, "inspect", str(small_stream), "--json"]
    expected = subprocess.run(arguments, capture_output=True, check=True).stdout
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    filled = os.write(writer, bytes(1 << 20))  # what fits
    with subprocess.Popen(arguments, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        time.sleep(1)
        with os.fdopen(reader, "rb") as read:
            assert read.read()[filled:] == expected
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("action", ["inspect", "verify", "--help", "models"])
def test_a_terminal_without_unicode(small_stream: Path, action: str) -> None:
    arguments = [action, small_stream] if action in ("inspect", "verify") else [action]
    done = run(arguments, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert len(done.stdout) > 20


# Names

NAME = "a\x1b[31m\u202e[bold]$\\frac{$\n\udcff"
SHOWN = "a\\x1b[31m\\u202e[bold]$\\frac{$\\n\\xff"


def test_names_are_text_wherever_they_are_shown(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    stream = tmp_path / f"{NAME}.265"
    stream.write_bytes(small_stream.read_bytes())
    picture, video = tmp_path / f"{NAME}.png", tmp_path / f"{NAME}.mkv"
    said = []
    for arguments in (
        ["decode", stream, video],
        ["inspect", tmp_path / f"{NAME}.266"],
        [NAME],
    ):
        done = run(arguments)
        said.append((done.returncode, done.stdout, done.stderr))
    for more in (
        ["inspect", stream, "--plot", picture],
        ["verify", stream],
        ["extract", stream, tmp_path / f"{NAME}.jsonl"],
        ["decode", stream, tmp_path / NAME / "out.mkv"],
        ["encode", NAME],
    ):
        outcome = command(*more)
        said.append((outcome.status, outcome.out, outcome.err))
    for status, out, err in said:
        assert not set(out + err) & {"\x1b", "\u202e", "\udcff"}, (out, err)
        assert status in (0, 1, 2)
        assert "Traceback" not in err
        if status == 1:
            assert err.count("\n") == 1
            assert SHOWN in err
    assert picture.stat().st_size > 1000
    assert video.stat().st_size > 1000


@pytest.fixture(scope="module")
def plotted(small_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The curves of the stream, drawn where nothing is set."""
    path = tmp_path_factory.mktemp("plotted") / "plain.png"
    done = run(["inspect", small_stream, "--plot", path])
    assert (done.returncode, done.stderr) == (0, "")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("rc", "environment"),
    [
        ("", {"MPLBACKEND": "nonsense"}),
        ("text.usetex: True\npath.effects: x\nbackend: nonsense\n", {}),
        ("no settings", {}),
    ],
)
def test_plots_are_drawn_whatever_is_set_for_others(
    small_stream: Path, plotted: bytes, tmp_path: Path, rc: str, environment: dict[str, str]
) -> None:
    (tmp_path / "matplotlibrc").write_text(rc)
    done = run(["inspect", small_stream, "--plot", "out.png"], cwd=tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.png").read_bytes() == plotted


TIDY = """
import sys, time
from gfvc.ending import end_on_signals
end_on_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    time.sleep(1)
    print("tidy", flush=True)
"""


@pytest.mark.parametrize("second", [signal.SIGHUP, signal.SIGTERM])
def test_a_second_signal_does_not_disturb_what_tidies_up(second: signal.Signals) -> None:
    """A terminal that is closed sends SIGHUP, and so does its shell."""
    with subprocess.Popen([sys.executable, "-c", TIDY], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        process.send_signal(second)
        assert process.stdout.read() == b"tidy\n"
    assert process.returncode == 128 + signal.SIGHUP


# Memory


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np.core._exceptions._ArrayMemoryError((10**12,), np.dtype(np.uint8)),  # type: ignore[attr-defined]
        OSError(12, "Cannot allocate memory"),
        RuntimeError("std::bad_alloc"),
        ImportError("libfoo.so: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_told_as_such(error: Exception) -> None:
    failure = failure_of(error, "gfvc encode")
    assert failure is not None
    assert failure[0] == 1
    assert failure[1].startswith("gfvc encode: not enough memory (")
    wrapped = OutputError("out.265: cannot be written")
    wrapped.__context__ = error
    assert failure_of(wrapped, "gfvc encode") == failure


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("can't start new thread"),
        BlockingIOError(11, "Resource temporarily unavailable"),
        OutputError("out.mp4: cannot be written (Resource temporarily unavailable)"),
        ProgramFailedError("ffmpeg: exit status 245: Resource temporarily unavailable"),
    ],
)
def test_too_few_threads_are_told_as_such(error: Exception) -> None:
    failure = failure_of(error, "gfvc decode")
    assert failure is not None
    assert failure[1].startswith("gfvc decode: no more threads or processes can be started (")
    assert "ulimit -u" in failure[1]


def test_too_few_threads_are_told_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, command: CommandLine, tmp_path: Path
) -> None:
    running = threading.active_count()
    start = threading.Thread.start

    def start_one(thread: threading.Thread) -> None:
        if threading.active_count() > running:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    outcome = command("decode", "in.265", tmp_path / "out.mp4")
    assert outcome.status == 1
    assert "no more threads or processes can be started (can't start new thread); " in outcome.err
    assert threading.active_count() == running


def test_too_few_open_files_are_told_as_such(small_stream: Path, tmp_path: Path) -> None:
    done = run(["decode", small_stream, tmp_path / "out.mkv"], before="ulimit -n 16")
    says = "gfvc: open files are limited to 16 (ulimit -n), and 64 are needed at the least\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", says)
    assert listing(tmp_path) == {}


def test_other_errors_are_not_about_memory() -> None:
    failure = failure_of(ImportError("libGL.so.1: cannot open shared object file"), "gfvc encode")
    assert failure is not None
    assert "apt-get install libgl1" in failure[1]
    assert failure_of(TypeError("a bug"), "gfvc encode") is None
    failure = failure_of(PermissionError(13, "Permission denied", "a\x1bb"), "gfvc decode")
    assert failure == (1, "gfvc decode: a\\x1bb: Permission denied")


@pytest.mark.parametrize(
    ("verb", "limit", "kilobytes"),
    [
        *itertools.product(["encode", "decode", "edit", "export"], ["-v"], [100_000, 600_000]),
        *itertools.product(["verify", "inspect", "models", "remove"], ["-v"], [100_000, 150_000]),
        *itertools.product(["encode", "decode", "edit", "export"], ["-d"], [60_000, 300_000]),
        *itertools.product(["verify", "inspect", "models", "remove"], ["-d"], [60_000, 120_000]),
    ],
)
def test_a_limit_that_is_too_low_is_told_before_anything_is_loaded(
    short_clip: Path, small_stream: Path, tmp_path: Path, verb: str, limit: str, kilobytes: int
) -> None:
    jobs: dict[str, list[object]] = {
        "encode": ["encode", short_clip, tmp_path / "out.265"],
        "decode": ["decode", small_stream, tmp_path / "out.mkv"],
        "edit": ["edit", small_stream, tmp_path / "out.265", "--yaw", "4"],
        "export": ["export", small_stream, tmp_path / "out.glb"],
        "verify": ["verify", small_stream],
        "inspect": ["inspect", small_stream],
        "models": ["models", "show", "face"],
        "remove": ["remove", small_stream, tmp_path / "out.265"],
    }
    done = run(jobs[verb], before=f"ulimit {limit} {kilobytes}")
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert f"memory is limited to {kilobytes * 1024 / 1e6:.0f} MB (ulimit {limit})" in line
    assert listing(tmp_path) == {}


@pytest.mark.parametrize(("option", "share"), [("-v", 1.0), ("-d", DATA_SHARE)])
def test_the_least_memory_is_enough(
    short_clip: Path, tmp_path: Path, option: str, share: float
) -> None:
    stream = tmp_path / "out.265"
    for megabytes, arguments in (
        (LEAST_MEGABYTES["encode"], ["encode", short_clip, stream]),
        (LEAST_MEGABYTES["decode"], ["decode", stream, tmp_path / "out.mkv"]),
        (LEAST_MEGABYTES["verify"], ["verify", stream]),
        (LEAST_MEGABYTES["inspect"], ["inspect", stream]),
        (LEAST_MEGABYTES["models"], ["models", "show", "face"]),
        (LEAST_MEGABYTES["remove"], ["remove", stream, tmp_path / "bare.265"]),
        (MESSAGES_ONLY_MEGABYTES, ["export", stream, tmp_path / "out.glb", "--messages-only"]),
    ):
        limit = round(share * megabytes) * 1_000_000 // 1024 + 1
        done = run(
            arguments,
            before=f"ulimit {option} {limit}",
            # Each thread takes address space, and a large machine has many.
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("enough", [resource.RLIM_INFINITY, 1_000_000_000])
def test_only_a_limit_below_the_least_is_refused(
    monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    limits = {resource.RLIMIT_AS: enough, resource.RLIMIT_DATA: enough}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limits[kind], resource.RLIM_INFINITY))
    require_memory(1000, "decode")
    limits[resource.RLIMIT_DATA] = 500_000_000
    require_memory(1000, "decode")
    limits[resource.RLIMIT_DATA] = 499_999_999
    with pytest.raises(MemoryLimitError, match=r"ulimit -d.* decode needs 500 MB"):
        require_memory(1000, "decode")
    limits[resource.RLIMIT_AS] = 999_999_999
    with pytest.raises(MemoryLimitError, match=r"ulimit -v.* decode needs 1000 MB"):
        require_memory(1000, "decode")


# Homes and folders

HOMELESS = """
import pwd, sys
def nobody(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = nobody
sys.argv[0] = "gfvc"
from gfvc.cli.main import run
run()
"""


def test_a_user_without_a_home(short_clip: Path, tmp_path: Path) -> None:
    stream = tmp_path / "out.265"
    for arguments in (
        ["encode", short_clip, stream],
        ["decode", stream, tmp_path / "out.mkv"],
        ["inspect", stream, "--plot", tmp_path / "curves.png"],
        ["models"],
    ):
        done = run(arguments, before="unset HOME", program=[sys.executable, "-c", HOMELESS])
        assert done.returncode == 0, done.stderr
        assert all(line.startswith("gfvc: ") for line in done.stderr.splitlines()), done.stderr
    done = run(
        ["models", "remove", "fomm"],
        before="unset HOME XDG_DATA_HOME GFVC_MODELS",
        program=[sys.executable, "-c", HOMELESS],
    )
    assert done.returncode == 1
    assert done.stderr == (
        "gfvc models: no home folder is known to keep weights in; set HOME or GFVC_MODELS\n"
    )


def test_nothing_is_written_into_the_home_folder(short_clip: Path, tmp_path: Path) -> None:
    """Not even by a library that would leave an identifier of the machine there."""
    stream, home = tmp_path / "out.265", tmp_path / "home"
    home.mkdir()
    for arguments in (["encode", short_clip, stream], ["decode", stream, tmp_path / "out.mkv"]):
        done = run(arguments, before=f"unset XDG_CACHE_HOME; export HOME='{home}'")
        assert done.returncode == 0, done.stderr
        assert not list(home.iterdir())


@pytest.mark.parametrize("is_package", [True, False])
def test_a_folder_with_names_like_ours_does_not_stand_in_for_us(
    tmp_path: Path, is_package: bool
) -> None:
    for name in ("models", "sei", "base_codec_adapters", "numpy"):
        (tmp_path / name).mkdir()
        if is_package:
            (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    (tmp_path / "argparse.py").write_text("raise RuntimeError('not ours')")
    for module in ("gfvc", "gfvc.cli"):
        done = run(["models"], cwd=tmp_path, program=[sys.executable, "-m", module])
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("face\t")


def test_an_empty_folder_named_gfvc_does_not_stand_in_for_us(tmp_path: Path) -> None:
    (tmp_path / "gfvc").mkdir()
    for module in ("gfvc", "gfvc.cli"):
        done = run(["models"], cwd=tmp_path, program=[sys.executable, "-m", module])
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("face\t")


def test_libraries_say_nothing(tmp_path: Path, demo_pictures: list[Picture]) -> None:
    """Not even of the first face, which comes late, in a picture that is not square."""
    blank = np.full((256, 448, 3), 90, np.uint8)
    faces = [blank.copy() for _ in demo_pictures[:10]]
    for picture, face in zip(faces, demo_pictures, strict=False):
        picture[:, 96:352] = face
    clip = write_video(tmp_path / "late.mkv", [blank] * 30 + faces + [blank] * 10, RATE)
    done = run(["encode", clip, tmp_path / "out.265", "--json"])
    assert done.returncode == 0
    assert json.loads(done.stdout)["frames"] == 50
    assert all(line.startswith("gfvc: ") for line in done.stderr.splitlines()), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("remove", "{stream}", "out.265"),
        ("extract", "{stream}", "out.jsonl"),
        ("batch", "{stream}", "--out", "{folder}/out"),
    ],
)
def test_a_current_folder_that_was_removed_is_named(
    small_stream: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: CommandLine,
    arguments: tuple[str, ...],
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    given = [each.format(stream=small_stream, folder=tmp_path) for each in arguments]
    outcome = command(*given)
    assert outcome.status == 1
    line = f"gfvc {given[0]}: the current folder is not there any more; change to another one"
    assert outcome.err.splitlines()[-1] == line


def test_absolute_names_need_no_current_folder(
    small_stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: CommandLine
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert command("remove", small_stream, tmp_path / "out.265").status == 0
