from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gfvc import EncodeOptions, encode
from tests.gfvc.support import CommandLine, assert_refused


def gfvc(
    *arguments: str | Path, data: bytes | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The command with bytes on a pipe, or a file, as standard input."""
    command = [sys.executable, "-m", "gfvc", *map(str, arguments)]
    variables = os.environ | (environment or {})
    if isinstance(data, bytes):
        return subprocess.run(
            command, input=data, capture_output=True, env=variables, timeout=110, check=False
        )
    with data.open("rb") as file:
        return subprocess.run(
            command, stdin=file, capture_output=True, env=variables, timeout=110, check=False
        )


@pytest.fixture(scope="module")
def expected(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("expected") / "out.265"
    encode(short_clip, output, EncodeOptions(model="mesh"))
    return output.read_bytes()


def test_a_pipe_is_read(short_clip: Path, tmp_path: Path, expected: bytes) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    done = gfvc("encode", "-", tmp_path / "out.265", "--model", "mesh",
                data=short_clip.read_bytes(), environment={"TMPDIR": str(spool)})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.265").read_bytes() == expected
    # onnxruntime leaves one of its own there.
    assert [path.name for path in spool.iterdir() if path.name != ".ses"] == []


def test_a_file_as_standard_input_is_read(
    short_clip: Path, tmp_path: Path, expected: bytes
) -> None:
    done = gfvc("encode", "-", tmp_path / "out.265", "--model", "mesh", data=short_clip)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.265").read_bytes() == expected


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", b"standard input: is empty"), (b"no video\n" * 100, b"standard input: not a video")],
)
def test_what_is_no_video_is_refused_by_its_name(tmp_path: Path, data: bytes, says: bytes) -> None:
    done = gfvc("encode", "-", tmp_path / "out.265", data=data)
    assert done.returncode == 1
    assert done.stderr.startswith(b"gfvc encode: " + says)
    assert done.stderr.count(b"\n") == 1
    assert b"/proc" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_standard_input_that_does_not_fit_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        "from gfvc.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "encode", "-", str(tmp_path / "out.265")],
        input=bytes(3 << 20),
        capture_output=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"gfvc encode: standard input: cannot be kept in the folder ")
    assert b"TMPDIR" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_named_pipe_is_refused(tmp_path: Path, command: CommandLine) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = command("encode", tmp_path / "pipe", tmp_path / "out.265")
    assert outcome.status == 1
    assert "pipe: is a pipe, not a file, and cannot be read twice; gfvc" in outcome.err


@pytest.mark.parametrize("address", ["http://localhost/a.mp4", "rtsp://camera:554/1"])
def test_an_address_is_refused(
    tmp_path: Path, command: CommandLine, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(command, "encode", address, "out.265", folder=tmp_path,
                   says=f"{address}: is an address, and only files are read")  # fmt: skip


def test_a_device_is_refused(tmp_path: Path, command: CommandLine) -> None:
    assert_refused(command, "encode", "/dev/zero", tmp_path / "out.265", folder=tmp_path,
                   says="/dev/zero: is not a file but a device")  # fmt: skip


@pytest.mark.parametrize("arguments", [["encode", "-", "out.265"], ["inspect", "-"]])
def test_standard_input_that_is_closed(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "gfvc", *arguments]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"standard input" in done.stderr
    assert b"is closed" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *(["decode", "-", "out.mp4"], ["export", "-", "out.json"], ["extract", "-", "out.jsonl"]),
        *(["remove", "-", "out.265"], ["edit", "-", "out.265", "--yaw", "3"], ["verify", "-"]),
    ],
)
def test_commands_that_read_a_stream_twice_want_a_file(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    says = "-: standard input is not read here, for it cannot be read twice; name a file"
    assert_refused(command, *arguments, folder=tmp_path, says=says)


@pytest.mark.parametrize("piped", [True, False])
def test_a_container_wants_a_file(in_mp4: Path, piped: bool) -> None:
    done = gfvc("inspect", "-", data=in_mp4.read_bytes() if piped else in_mp4)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"-: no start code 00 00 01" in done.stderr
    assert b"a container (MP4, Matroska, MPEG-TS) is read from a file alone" in done.stderr


def test_a_byte_stream_is_read(small_stream: Path) -> None:
    done = gfvc("inspect", "-", "--summary", data=b"\0\0\0" + small_stream.read_bytes())
    assert done.returncode == 0
    assert b"12 pictures" in done.stdout
