"""Base codec programs that fail, hang or write rubbish, and the way to another program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from base_codec_adapters import ProgramTimeoutError
from base_codec_adapters.ffmpeg import find_ffmpeg
from gfvc import DecodeOptions, EncodeOptions, decode, encode
from tests.gfvc.conftest import KEYS_ONLY
from tests.gfvc.support import CommandLine, assert_refused, listing

FAKE = """\
#!{python}
import os, sys, time
if "-codecs" in sys.argv:
    print("ffmpeg version fake")
    print(" DEV.L. hevc  H.265 (decoders: hevc) (encoders: libx265)")
    print(" DEV.L. vvc  H.266 (decoders: vvc) (encoders: libvvenc)")
    sys.exit()
decoding = sys.argv[-2] == "yuv4mpegpipe"
{body}
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""

InstallFake = Callable[[str], Path]


@pytest.fixture
def install_fake(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> InstallFake:
    """Put a program in the place of ffmpeg that does `body`, then what the real one does."""
    real = str(find_ffmpeg())

    def install(body: str) -> Path:
        path = tmp_path_factory.mktemp("fake") / "ffmpeg"
        path.write_text(FAKE.format(python=sys.executable, real=real, body=body))
        path.chmod(0o755)
        monkeypatch.setenv("GFVC_FFMPEG", str(path))
        return path

    return install


BAD_PROGRAMS = [
    ("print('Error: out of magic'); sys.exit(3)", "exit status 3: Error: out of magic"),
    ("sys.exit(0)", "nothing was written"),
    ("os.kill(os.getpid(), 11)", "signal SIGSEGV"),
    ("open(sys.argv[-1], 'wb').write(b'rubbish' * 99); sys.exit()", "start code"),
    (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); "
        "open(sys.argv[-1], 'wb').write(bytes(10**8))",
        "signal SIGXFSZ",
    ),
    ("print('x' * 10**6); sys.exit(1)", "exit status 1"),
]


@pytest.mark.parametrize(("body", "says"), BAD_PROGRAMS)
def test_an_encoder_that_fails(
    install_fake: InstallFake,
    body: str,
    says: str,
    short_clip: Path,
    tmp_path: Path,
    command: CommandLine,
) -> None:
    install_fake(body)
    line = assert_refused(
        command, "encode", short_clip, tmp_path / "out.265", folder=tmp_path, says=says
    )
    assert len(line) < 20_000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f"if decoding: {BAD_PROGRAMS[0][0]}", "exit status 3: Error: out of magic"),
        ("if decoding: sys.exit(0)", "No such file"),
        ("if decoding: open(sys.argv[-1], 'wb').write(b'y4m'); sys.exit()", "YUV4MPEG2"),
    ],
)
def test_a_decoder_that_fails(
    install_fake: InstallFake,
    body: str,
    says: str,
    short_clip: Path,
    small_stream: Path,
    tmp_path: Path,
    command: CommandLine,
) -> None:
    install_fake(body)
    for verb, source, name in (
        ("decode", small_stream, "out.mkv"),
        ("encode", short_clip, "out.265"),
    ):
        assert_refused(command, verb, source, tmp_path / name, folder=tmp_path, says=says)


def test_an_encoder_that_hangs_is_ended(
    install_fake: InstallFake, short_clip: Path, tmp_path: Path
) -> None:
    install_fake("time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(ProgramTimeoutError, match="still running after 1 s, killed"):
        encode(short_clip, tmp_path / "out.265", EncodeOptions(timeout=1.0))
    assert time.monotonic() - started < 20
    assert listing(tmp_path) == {}


def test_a_decoder_that_hangs_is_ended(
    install_fake: InstallFake, small_stream: Path, tmp_path: Path
) -> None:
    install_fake("time.sleep(60)")
    with pytest.raises(ProgramTimeoutError, match="still running after 1 s, killed"):
        decode(small_stream, tmp_path / "out.mkv", DecodeOptions(timeout=1.0))
    assert listing(tmp_path) == {}


@pytest.mark.parametrize(
    ("variable", "told", "says"),
    [
        ("GFVC_FFMPEG", "/nowhere/ffmpeg", "/nowhere/ffmpeg: not an executable file (from GFVC_"),
        ("IMAGEIO_FFMPEG_EXE", "/nowhere/it", "/nowhere/it: not an executable file (from IMAGEIO_"),
        ("GFVC_FFMPEG", "/bin/true", "not ffmpeg"),
        ("GFVC_FFMPEG", "/bin/false", "exit status 1"),
    ],
)
def test_a_program_that_is_no_ffmpeg(
    variable: str,
    told: str,
    says: str,
    short_clip: Path,
    small_stream: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GFVC_FFMPEG", raising=False)
    monkeypatch.setenv(variable, told)
    for name in ("VVENCFFAPP", "VTM_ENCODER", "HM_ENCODER"):
        monkeypatch.delenv(f"GFVC_{name}", raising=False)
    for verb, source, output in (
        ("encode", short_clip, "out.265"),
        ("decode", small_stream, "out.mkv"),
    ):
        assert_refused(command, verb, source, tmp_path / output, folder=tmp_path, says=says)


def test_another_ffmpeg_is_used_when_told(
    install_fake: InstallFake, short_clip: Path, small_stream: Path, tmp_path: Path
) -> None:
    fake = install_fake("open(sys.argv[0] + '.log', 'a').write('called\\n')")
    encode(short_clip, tmp_path / "out.265", EncodeOptions(**KEYS_ONLY))
    assert (tmp_path / "out.265").read_bytes() == small_stream.read_bytes()
    # Each of three key pictures is encoded, and decoded again.
    assert Path(f"{fake}.log").read_text().count("called") == 6
