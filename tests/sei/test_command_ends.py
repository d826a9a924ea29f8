"""How ``python -m sei`` ends: full disks, closed pipes, odd names, text that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bitstring import pack

from sei import Codec, SeiMessage, join_annex_b, make_sei_nal_unit

FULL = Path("/dev/full")


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """A base message whose URIs hold an escape sequence, a bidirectional mark, and Greek."""
    tag, uri = "tag:\x1b[31m\x7f", "urn:\u202emoc.\u0395\u03bb\u03bb\u03ac\u03b4\u03b1"
    strings = (tag.encode() + b"\0" + uri.encode() + b"\0").hex()
    head = "ue=0, ue=0, 0b1, 0b1, ue=1"
    zeros = -len(pack(head)) % 8
    payload = pack(
        f"{head}, uint:{zeros}=0, 0x{strings}, 0b0, 0b0, 0b1, 0b0, ue=1, ue=0, 0b0, ue=0, ue=0,"
        "0b0, 0b1"
    )
    payload += [0] * (-len(payload) % 8)
    unit = make_sei_nal_unit([SeiMessage(223, payload.tobytes())], Codec.HEVC)
    path = tmp_path / "in.265"
    path.write_bytes(join_annex_b([unit]))
    return path


def run(
    *arguments: str | Path, out: int | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "sei", *map(str, arguments)],
        stdout=subprocess.PIPE if out is None else out,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("more", [[], ["--summary"], ["--json"]])
def test_a_full_disk_is_blamed_on_standard_output(stream: Path, more: list[str]) -> None:
    with FULL.open("wb") as full:
        done = run(stream, "--codec", "hevc", *more, out=full.fileno())
    assert done.returncode == 1
    assert done.stderr == b"error: standard output: No space left on device\n"


def test_a_reader_that_is_gone_is_no_failure(stream: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(stream, "--codec", "hevc", out=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_input_that_cannot_be_read_is_named_printably(tmp_path: Path) -> None:
    done = run(tmp_path / "x\x1b[31m.265")
    assert done.returncode == 1
    assert done.stderr.endswith(b"x\\x1b[31m.265: No such file or directory\n")
    folder = run(tmp_path)
    assert (folder.returncode, folder.stderr.count(b"\n")) == (1, 1)
    assert b"Is a directory" in folder.stderr


@pytest.mark.parametrize("more", [[], ["--summary"], ["--bits", "--json"], ["--codec", "vvc"]])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0\0\0\x1cftypisom" + bytes(8) + b"\0\0\1\2moov", b"where the stream begins"),
        (b"YUV4MPEG2 W16 H16 F25:1\n", b"not an Annex B byte stream"),
        (bytes(100), b"not an Annex B byte stream"),
    ],
    ids=["mp4", "y4m", "zeros"],
)
def test_what_is_no_byte_stream_is_named_with_what_to_do(
    tmp_path: Path, content: bytes, says: bytes, more: list[str]
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    done = run(path, *more)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(f"error: {path}: no start code 00 00 01".encode())
    assert says in done.stderr
    assert b"ffmpeg -i IN.mp4 -c:v copy OUT.265" in done.stderr
    assert b"gfvc inspect" in done.stderr


def test_a_stream_of_no_known_codec_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"\0\0\1\xff\xff\xff")
    done = run(path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(f"error: {path}: ".encode())
    assert b"ffmpeg" not in done.stderr


def test_text_of_the_stream_is_printed_as_text(stream: Path) -> None:
    done = run(stream, "--codec", "hevc", PYTHONIOENCODING="utf-8")
    tree = done.stdout.decode()
    assert done.returncode == 0
    assert "\x1b" not in tree
    assert "\x7f" not in tree
    assert "\u202e" not in tree
    assert "\\u202emoc.\u0395\u03bb\u03bb\u03ac\u03b4\u03b1" in tree


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_the_terminal_will_do(stream: Path, encoding: str) -> None:
    done = run(stream, "--codec", "hevc", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"gfv_nn_uri" in done.stdout


@pytest.mark.parametrize("more", [[], ["--summary"], ["--json"]])
def test_what_is_wrong_within_a_stream_is_told_with_its_name(stream: Path, more: list[str]) -> None:
    """A damaged message, and a break."""
    damaged = make_sei_nal_unit([SeiMessage(223, b"\0")], Codec.HEVC)
    data = stream.read_bytes() + join_annex_b([damaged])
    stream.write_bytes(data + b"\0\0\1\x4e\0\0\1\x4e\1\x80")
    done = run(stream, "--codec", "hevc", *more)
    assert done.returncode == 1
    first, last = done.stderr.decode().splitlines()
    assert first.startswith(f"error: {stream}: NAL unit 1 at byte ")
    assert last.startswith(f"error: {stream}: a NAL unit of 1 bytes is shorter than its header")
    assert last.endswith(f"(at byte {len(data) + 3})")
