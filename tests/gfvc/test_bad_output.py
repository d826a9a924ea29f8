"""Outputs that cannot be written: one line, and whatever was there stays."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gfvc import EncodeOptions, encode
from gfvc.cli.main import main
from tests.gfvc.support import CommandLine, assert_refused, listing
from tests.golden.files import STREAMS


@pytest.fixture(params=["encode", "decode"])
def job(request: pytest.FixtureRequest, short_clip: Path, small_stream: Path) -> tuple[str, Path]:
    """A command and its input."""
    return request.param, short_clip if request.param == "encode" else small_stream


def suffix(job: tuple[str, Path]) -> str:
    return ".265" if job[0] == "encode" else ".mkv"


@contextlib.contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may pass this many bytes; more fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


NOBODY = 65534

# A raw picture of 64x64, which passes through temporary files, and a little more.
LITTLE_ROOM = 64 * 64 * 3 // 2 + 400


@pytest.fixture(scope="module")
def tiny_stream(tmp_path_factory: pytest.TempPathFactory, demo_clip: Path) -> Path:
    """Thirty pictures of 64x64, one of them a key picture."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.265"
    encode(demo_clip, path, EncodeOptions(model="mesh", size=64))
    return path


def test_a_missing_folder(job: tuple[str, Path], tmp_path: Path, command: CommandLine) -> None:
    output = tmp_path / "nowhere" / f"out{suffix(job)}"
    assert_refused(command, *job, output, folder=tmp_path, says="nowhere does not exist")


def test_a_folder_that_is_a_file(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    (tmp_path / "file").write_bytes(b"something")
    output = tmp_path / "file" / f"out{suffix(job)}"
    assert_refused(command, *job, output, folder=tmp_path, says="file is not a folder")


def test_a_name_that_is_too_long(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / ("n" * 300 + suffix(job))
    assert_refused(command, *job, output, folder=tmp_path, says="name too long")


def test_the_longest_name_is_written(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / ("n" * 251 + suffix(job))
    assert command(*job, output).status == 0
    assert os.listdir(tmp_path) == [output.name]  # noqa: PTH208


def test_what_exists_is_kept_without_force(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / f"out{suffix(job)}"
    output.write_bytes(b"dear to me")
    assert_refused(command, *job, output, folder=tmp_path, says=["exists already", "--force"])
    assert command(*job, output, "--force").status == 0
    assert output.stat().st_size > 1000


# OUT stands for a name of the input; the others are files made by `edited`.
OVERWRITING = [
    ["encode", "clip.mkv", "OUT"],
    ["decode", "talk.265", "OUT"],
    ["remove", "talk.265", "OUT"],
    ["transcode", "talk.265", "OUT", "--precision", "6"],
    ["extract", "talk.265", "OUT"],
    ["inject", "base.265", "messages.jsonl", "OUT"],
    ["inject", "talk.265", "base.265", "OUT"],
    ["inspect", "talk.265", "--plot", "OUT"],
]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, short_clip: Path, small_stream: Path) -> Path:
    """A folder with an input of every kind."""
    folder = tmp_path_factory.mktemp("edited")
    shutil.copy(short_clip, folder / "clip.mkv")
    shutil.copy(small_stream, folder / "talk.265")
    talk, base, messages = (
        str(folder / name) for name in ("talk.265", "base.265", "messages.jsonl")
    )
    assert main(["remove", talk, base]) == 0
    assert main(["extract", talk, messages]) == 0
    return folder


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["encode", "clip.mkv", "out.265"],
        ["decode", "talk.265", "out.mp4"],
        ["remove", "talk.265", "out.265"],
        ["transcode", "talk.265", "out.265"],
        ["extract", "talk.265", "out"],
        ["inject", "base.265", "messages.jsonl", "out"],
        ["export", "talk.265", "out.csv"],
        ["edit", "talk.265", "out.265", "--yaw", "4"],
        ["edit", "talk.265", "a.265", "--yaw", "4", "--preview", "out.png"],
        ["inspect", "talk.265", "--plot", "out.png"],
    ],
    ids=" ".join,
)
def test_a_folder_where_a_file_goes(
    edited: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    force: list[str],
) -> None:
    folder = tmp_path / "work"
    shutil.copytree(edited, folder)
    monkeypatch.chdir(folder)
    [out] = (name for name in arguments if name.startswith("out"))
    Path(out).mkdir()
    says = f"{out}: is a folder, and a file is to be written; name a file"
    line = assert_refused(command, *arguments, *force, folder=folder, says=says)
    assert "--force" not in line


@pytest.mark.parametrize("way", ["itself", "symbolic", "hard"])
@pytest.mark.parametrize("arguments", OVERWRITING, ids=" ".join)
def test_no_command_overwrites_what_it_reads(
    edited: Path, tmp_path: Path, command: CommandLine, arguments: list[str], way: str
) -> None:
    folder = tmp_path / "work"
    shutil.copytree(edited, folder)
    inputs = [name for name in arguments[1:] if (folder / name).is_file()]
    for name in inputs:
        source = folder / name
        output = source
        if way != "itself":
            suffix = {"encode": ".265", "decode": ".mkv"}.get(arguments[0], source.suffix)
            output = folder / f"other-{source.stem}{suffix}"
            (output.symlink_to if way == "symbolic" else output.hardlink_to)(source)
        given: list[str | Path] = [
            folder / word if word in inputs else output if word == "OUT" else word
            for word in arguments
        ]
        if way == "itself" and arguments[0] in ("encode", "decode"):
            # By its suffix it could be no output; it is not to be touched all the same.
            before = listing(folder)
            assert command(*given, "--force").status == 1
            assert listing(folder) == before
            continue
        assert_refused(command, *given, "--force", folder=folder, says="is the input itself")


def test_a_translator_is_not_overwritten(
    edited: Path, tmp_path: Path, command: CommandLine
) -> None:
    translator = tmp_path / "translator.265"
    translator.write_bytes(b"dear to me")
    assert_refused(
        command, "transcode", edited / "talk.265", translator, "--translator", translator,
        "--force", folder=tmp_path, says="is the input itself",
    )  # fmt: skip


def test_a_link_stays_and_what_it_leads_to_is_replaced(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    target, link = tmp_path / "target.265", tmp_path / "link.265"
    target.write_bytes(b"dear to me")
    link.symlink_to("target.265")
    assert_refused(command, "remove", small_stream, link, folder=tmp_path, says="--force")
    assert command("remove", small_stream, link, "--force").status == 0
    assert link.is_symlink()
    assert target.stat().st_size > 1000
    target.unlink()
    for force in ([], ["--force"]):
        assert_refused(
            command, "remove", small_stream, link, *force, folder=tmp_path,
            says="is a link to target.265, which is not there",
        )  # fmt: skip


def test_what_exists_is_kept_when_the_new_one_fails(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    for verb, name in (("encode", "out.265"), ("decode", "out.mkv")):
        output = tmp_path / name
        output.write_bytes(b"dear to me")
        bad = tmp_path / "bad.bin"
        bad.write_bytes(b"rubbish" * 100)
        assert_refused(command, verb, bad, output, "--force", folder=tmp_path, says="bad.bin")
        assert output.read_bytes() == b"dear to me"


def test_a_folder_in_the_place_of_a_file(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / f"out{suffix(job)}"
    output.mkdir()
    (output / "letters.txt").write_text("dear")
    assert_refused(command, *job, output, "--force", folder=tmp_path, says="is a folder")


@pytest.mark.parametrize("name", ["letters.txt", "wedding.png"])
def test_a_folder_of_other_things_is_not_replaced_by_pictures(
    small_stream: Path, tmp_path: Path, command: CommandLine, name: str
) -> None:
    output = tmp_path / "home"
    output.mkdir()
    (output / name).write_text("dear")
    assert_refused(command, "decode", small_stream, output, "--force", folder=tmp_path, says=name)


def test_a_folder_of_videos_is_not_replaced_by_the_demo(
    tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "videos"
    output.mkdir()
    (output / "wedding.mp4").write_text("dear")
    assert_refused(command, "demo", "--out", output, "--force", folder=tmp_path, says="wedding.mp4")


def test_a_folder_of_programs_is_not_replaced_by_payloads(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "firmware"
    output.mkdir()
    (output / "boot.bin").write_text("dear")
    assert_refused(
        command, "extract", small_stream, "--payloads", output, "--force",
        folder=tmp_path, says="boot.bin",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["out.avi", "out.webm", "out.png", "out.265"])
def test_an_unknown_suffix(
    small_stream: Path, tmp_path: Path, command: CommandLine, name: str
) -> None:
    assert_refused(
        command, "decode", small_stream, tmp_path / name, folder=tmp_path,
        says=["cannot write", ".mkv"],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.y4m", "pictures"])
def test_a_full_disk_while_decoding(
    tiny_stream: Path, tmp_path: Path, command: CommandLine, name: str
) -> None:
    with full_disk(LITTLE_ROOM):
        line = assert_refused(
            command, "decode", tiny_stream, tmp_path / name, folder=tmp_path,
            says=[str(tmp_path / name), "cannot be written (File too large)"],
        )  # fmt: skip
    assert ".gfvc-" not in line


@pytest.mark.parametrize("name", ["out.265", "out.mp4"])
def test_a_full_disk_while_encoding(
    short_clip: Path, tmp_path: Path, command: CommandLine, name: str
) -> None:
    settings = ["--codec", "hevc", "--size", "64", "--key-interval", "1", "--key-qp", "20"]
    settings += ["--key-pictures", "fixed"]
    with full_disk(LITTLE_ROOM):
        assert_refused(
            command, "encode", short_clip, tmp_path / name, *settings, folder=tmp_path,
            says=[str(tmp_path / name), "File too large"],
        )  # fmt: skip


def test_a_full_disk_for_temporary_files(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / f"out{suffix(job)}"
    with full_disk(1000):
        assert_refused(command, *job, output, folder=tmp_path, says="larger than ulimit -f allows")


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write and read everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission(
    job: tuple[str, Path], tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb, source = job
    monkeypatch.setenv("GFVC_MODELS", "/nonexistent")
    closed, unreadable = tmp_path / "closed", tmp_path / f"unreadable{source.suffix}"
    closed.mkdir(mode=0o500)
    unreadable.write_bytes(source.read_bytes())
    unreadable.chmod(0)
    for given, output in (
        (source, closed / f"out{suffix(job)}"),
        (unreadable, tmp_path / f"out{suffix(job)}"),
    ):
        with without_privileges():
            outcome = command(verb, given, output)
        assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
        assert "Permission denied" in outcome.err
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["closed", unreadable.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("more", [[], ["--summary"], ["--json"]])
def test_a_full_disk_behind_inspect_is_no_failure_of_the_stream(
    small_stream: Path, more: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gfvc", "inspect", str(small_stream), *more],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "gfvc inspect: standard output: cannot be written (No space left on device)\n"
    )


@pytest.mark.parametrize(
    "arguments", [["extract", "out.jsonl"], ["export", "out.json", "--messages-only"]]
)
def test_a_full_temporary_folder_is_not_blamed_on_the_output(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    name, output, *options = arguments
    # A file in a folder that is full.
    full = Path("/dev/full").open("w", encoding="ascii")  # noqa: SIM115
    make = tempfile.TemporaryFile
    monkeypatch.setattr(
        "gfvc.stream.kept.tempfile.TemporaryFile",
        lambda *mode, **more: full if mode == ("w+",) else make(*mode, **more),
    )
    outcome = command(name, STREAMS / "hevc_mesh_marked.265", tmp_path / output, *options)
    assert outcome.status == 1
    assert "No space left on device; temporary files are kept there: make room" in outcome.err
    assert output not in outcome.err
    assert listing(tmp_path) == {}
