"""The folder for temporary files: full, unusable, and left by runs that were killed."""

from __future__ import annotations

import errno
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from base_codec_adapters import (
    BaseEncoder,
    EncodeRequest,
    Picture420,
    PictureSpool,
    ProgramFailedError,
    TemporaryFolderError,
    find_encoder,
)
from base_codec_adapters import scratch as scratch_module
from base_codec_adapters.byte_stream import PictureFormat
from base_codec_adapters.decoded_pictures import DecodedPictures
from base_codec_adapters.temporary import naming_tmpdir, temporary_folder, write_all
from tests.base_codec_adapters.conftest import MakePicture, MakeProgram
from tests.base_codec_adapters.streams import make_stream
from tests.base_codec_adapters.test_fake_programs import PROBE
from tests.base_codec_adapters.test_runner import ended, wait_for

# Runs Python code in a folder for temporary files that has 200 kB.
SMALL = """
mkdir -p "$TMPDIR" && mount -t tmpfs -o size=200k none "$TMPDIR" && exec "$@"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(scratch_module, "_tidied", set())
    return folder


def mounts(unshare: list[str]) -> bool:
    return subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0


def run_in_small_folder(code: str, tmp_path: Path) -> str:
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or not mounts(unshare):
        pytest.skip("needs unshare, and user namespaces to mount a small file system")
    environment = os.environ | {"TMPDIR": str(tmp_path / "small")}
    done = subprocess.run(
        [*unshare, "sh", "-c", SMALL, "sh", sys.executable, "-c", textwrap.dedent(code)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.program
def test_a_full_folder_is_named(tmp_path: Path) -> None:
    """Whether we fill it or the program does: the input, the spool, the decoded pictures."""
    code = """
        import numpy as np
        from base_codec_adapters import *
        noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
        picture = Picture420(noise, noise[::2, ::2], noise[::2, ::2])
        flat = Picture420(*(np.full_like(plane, 90) for plane in (picture.y, picture.u, picture.v)))
        encoder, decoder = find_encoder("hevc"), find_decoder("hevc")
        stream = encoder.encode(EncodeRequest((flat,), qp=40)).stream

        def spool():
            with PictureSpool() as pictures:
                for _ in range(5):
                    pictures.append(picture)

        for name, step in (
            ("input", lambda: encoder.encode(EncodeRequest((picture,) * 5, qp=40))),
            ("output", lambda: encoder.encode(EncodeRequest((picture,), qp=0))),
            ("decoded", lambda: decoder.decode(DecodeRequest(stream * 5))),
            ("spool", spool),
        ):
            try:
                step()
            except BaseCodecError as error:
                print(name, type(error).__name__, error)
            else:
                print(name, "went well")
    """
    lines = run_in_small_folder(code, tmp_path).splitlines()
    small = tmp_path / "small"
    assert len(lines) == 4
    for name, line in zip(("input", "output", "decoded", "spool"), lines, strict=True):
        assert line.startswith(f"{name} TemporaryFolderError {small}: "), line
        assert "No space left on device" in line
        assert line.endswith("make room, or name another folder in TMPDIR")


@pytest.mark.program
def test_the_largest_pictures_allowed_fit_in_memory(tmp_path: Path) -> None:
    """16 pictures of 14 MB each, from a few kB: neither we nor the program hold many of them."""
    luma, chroma = np.full((2304, 4096), 90, np.uint8), np.full((1152, 2048), 128, np.uint8)
    request = EncodeRequest((Picture420(luma, chroma, chroma),), qp=51)
    stream = find_encoder("hevc", "ffmpeg-libx265").encode(request).stream * 16
    assert len(stream) < 50_000
    path = tmp_path / "stream"
    path.write_bytes(stream)
    code = f"""
        import resource
        from pathlib import Path
        from base_codec_adapters import DecodeRequest, find_decoder
        request = DecodeRequest(Path({str(path)!r}).read_bytes(), expected_pictures=16)
        pictures = find_decoder("hevc").decode(request).pictures
        assert all(85 < picture.y[0, 0] < 95 for picture in pictures)
        # Our own ru_maxrss would count the process that started this one.
        print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    own, program = map(int, done.stdout.split())
    assert own < 300_000
    assert program < 300_000


def test_a_program_that_had_no_room_is_not_blamed(
    folder: Path, make_program: MakeProgram, make_picture: MakePicture
) -> None:
    body = PROBE + "sys.exit('coded.bin: No space left on device')"
    encoder = find_encoder("hevc", "ffmpeg-libx265", executable=make_program(body).path)
    with pytest.raises(TemporaryFolderError, match=f"{folder}: is full"):
        encoder.encode(EncodeRequest((make_picture(),), qp=30))
    assert list(folder.iterdir()) == []


def test_a_limit_of_files_is_the_users(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is of the program alone; what passes it is not for want of room."""

    def writes(size: int) -> None:
        with temporary_folder("x-") as made:
            (made / "coded.bin").write_bytes(bytes(size))
            raise ProgramFailedError("ended", exit_status=-signal.SIGXFSZ)

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (4096, 4096))
    with pytest.raises(TemporaryFolderError, match=rf"{folder}: .*ulimit -f.*: allow larger ones$"):
        writes(4096)
    with pytest.raises(ProgramFailedError):
        writes(4095)


@pytest.mark.parametrize("limit", [4096, resource.RLIM_INFINITY])
def test_room_does_not_help_a_file_that_may_not_grow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """A file system has a largest file, too: there another folder helps."""
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit, limit))
    says = "allow larger ones$" if limit == 4096 else "name another folder in TMPDIR$"
    with pytest.raises(TemporaryFolderError, match=says), temporary_folder("x-") as made:
        raise OSError(errno.EFBIG, "File too large", str(made / "pictures"))
    with pytest.raises(TemporaryFolderError, match=says), naming_tmpdir():
        raise OSError(errno.EFBIG, "File too large")


def test_no_folder_is_usable_where_files_may_not_have_a_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then `tempfile` says that there is none, whatever there is."""

    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    for limit, says in ((0, "ulimit -f.*: allow larger ones$"), (4096, "No usable temporary")):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, limit=limit: (limit, limit))
        with pytest.raises(TemporaryFolderError, match=says), temporary_folder("x-"):
            pass


def test_a_folder_that_is_gone(folder: Path, make_picture: MakePicture) -> None:
    folder.rmdir()
    with pytest.raises(TemporaryFolderError, match=rf"{folder}: No such file .* in TMPDIR"):
        PictureSpool()
    with pytest.raises(TemporaryFolderError, match="No such file"), temporary_folder("x-"):
        pass


def test_errors_of_others_pass(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), temporary_folder("x-"):
        (tmp_path / "absent" / "file").open()
    with pytest.raises(ProgramFailedError), temporary_folder("x-"):
        raise ProgramFailedError("exit status 1")
    assert list(folder.iterdir()) == []


def test_what_a_killed_run_left_is_removed(
    folder: Path, make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    """The run is killed in the middle of coding, then another one codes."""
    pids = tmp_path / "pids"
    hanging = make_program(
        PROBE + f"Path({str(pids)!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)", "hanging"
    )
    code = f"""
        import numpy as np, tempfile
        from base_codec_adapters import *
        tempfile.tempdir = {str(folder)!r}
        plane = np.zeros((64, 64), np.uint8)
        picture = Picture420(plane, plane[::2, ::2], plane[::2, ::2])
        encoder = find_encoder("hevc", "ffmpeg-libx265", executable={str(hanging.path)!r})
        encoder.encode(EncodeRequest((picture,), qp=30))
    """
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    try:
        child = int(wait_for(pids, within=60))
        assert len(list(folder.iterdir())) == 1
        coded = tmp_path / "stream"
        coded.write_bytes(make_stream("hevc"))
        working = make_program(PROBE + f"target.write_bytes(Path({str(coded)!r}).read_bytes())")
        encoder = find_encoder("hevc", "ffmpeg-libx265", executable=working.path)
        encode_one(encoder, make_picture)
        assert len(list(folder.iterdir())) == 1  # that of the run that still lives
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        os.kill(child, signal.SIGKILL)
    assert ended(child)
    scratch_module._tidied.clear()
    encode_one(encoder, make_picture)
    assert list(folder.iterdir()) == []


def encode_one(encoder: BaseEncoder, make_picture: MakePicture) -> None:
    encoder.encode(EncodeRequest((make_picture(),), qp=30))


def test_decoded_pictures_outlive_their_folder(tmp_path: Path) -> None:
    path = tmp_path / "decoded.yuv"
    path.write_bytes(b"".join(bytes([shade]) * 96 for shade in (10, 20, 30)))
    pictures = DecodedPictures(path, "yuv", PictureFormat(8, 8, 8))
    path.unlink()
    assert pictures.problem is None
    assert [int(picture.y[0, 0]) for picture in pictures] == [10, 20, 30]
    assert [int(picture.u[0, 0]) for picture in pictures[1:]] == [20, 30]
    assert np.array_equal(pictures[-1].y, np.full((8, 8), 30))
    with pytest.raises(IndexError):
        pictures[3]
    pictures.close()
    pictures.close()
    with pytest.raises(ValueError, match="closed"):
        pictures[0]


def test_decoded_pictures_without_a_file(tmp_path: Path) -> None:
    pictures = DecodedPictures(tmp_path / "absent", "yuv", PictureFormat(8, 8, 8))
    assert len(pictures) == 0
    assert pictures.problem is not None
    assert pictures.problem.startswith("after 0 whole pictures: ")
    pictures.close()


class NearlyFull(io.BytesIO):
    """Takes a thousand bytes at a time, and what it has room for."""

    room = 1 << 20

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(data[: min(1000, self.room)])
        self.room -= taken
        return taken


def test_what_is_written_in_parts_is_whole() -> None:
    file = NearlyFull()
    write_all(file, np.arange(5000, dtype=np.uint16).reshape(2, 50, 50).data)
    assert file.getvalue() == np.arange(5000, dtype=np.uint16).tobytes()


def test_pictures_are_spooled_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, make_picture: MakePicture
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: NearlyFull())
    picture = make_picture(64, 48)
    spool = PictureSpool()
    spool.append(picture)
    assert np.array_equal(spool[0].v, picture.v)
    monkeypatch.setattr(NearlyFull, "room", 4000)
    with pytest.raises(TemporaryFolderError, match="No space left"):
        PictureSpool().append(picture)
