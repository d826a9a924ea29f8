"""What reading a small checkpoint may cost, measured, and that reading it can be stopped."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from models import CheckpointError
from models.files import MAX_HEADER, check_tensor_file
from models.weights import unpickling
from models.weights.reading import read_checkpoint
from models.weights.unpickling import MEMORY, MEMORY_TO_FILE, NotKept, unpickle
from models.weights.unpickling_child import MAX_TREE

ENTRIES = ("kp_detector", "generator")
PYTORCH = 700 << 20  # bytes that a process with PyTorch takes by itself
LIMIT = 3  # seconds of processor time in these tests


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    """A file in the form of `torch.save` around any pickle."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/version", "3\n")
    return path


def shared_tuple(depth: int) -> bytes:
    """Opcodes that leave a tuple of two of a tuple of two of … in memo `depth`."""
    steps = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(depth))
    return b"\x80\x02)q\x00" + steps


def keyed_by_a_shared_tuple(path: Path) -> Path:
    return archive(path, shared_tuple(40) + b"}h\x28Ns.")


def value_is_a_shared_tuple(path: Path) -> Path:
    key = b"X\x09\x00\x00\x00generator"
    return archive(path, shared_tuple(40) + b"}" + key + b"h\x28s.")


def many_sets(path: Path) -> Path:
    return archive(path, b"\x80\x02" + b"\x8f" * 1_500_000 + b"}.")


def expanded(path: Path) -> Path:
    torch.save({"generator": {"w": torch.zeros(1).expand(10**5, 10**5)}}, path)
    return path


def many_expanded(path: Path) -> Path:
    tensors = {str(i): torch.zeros(1).expand(1000, 1000 + i) for i in range(200)}
    torch.save({"generator": tensors}, path)
    return path


def old_form_with_a_large_storage(path: Path) -> Path:
    torch.save({"generator": {"w": torch.zeros(77)}}, path, _use_new_zipfile_serialization=False)
    count = b"K\x4dN"  # 77 elements, then no view
    content = path.read_bytes()
    assert count in content
    path.write_bytes(content.replace(count, b"J\xff\xff\xff\x7fN"))
    return path


def compressed(path: Path) -> Path:
    return archive(path, b"\x80\x02" + b"\x8f" * 5_000_000 + b"}.", zipfile.ZIP_DEFLATED)


def entries_that_overlap(path: Path) -> Path:
    archive(path, b"\x80\x02}.")
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\1\2")
    content[central + 20 : central + 28] = (1 << 30).to_bytes(4, "little") * 2
    path.write_bytes(content)
    return path


def deep(path: Path) -> Path:
    nested = b"}X\x09\x00\x00\x00generator" + b"]" * 5000 + b"a" * 4999 + b"s."
    return archive(path, b"\x80\x02" + nested)


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "key": (keyed_by_a_shared_tuple, f"takes more than {LIMIT} s to read"),
    "value": (value_is_a_shared_tuple, "nested deeper than"),
    "sets": (many_sets, "asks for much more memory than the file is large"),
    "expanded": (expanded, "its tensors ask for more than 2 times the bytes of the file"),
    "many expanded": (many_expanded, "its tensors ask for more than 2 times"),
    "storage": (old_form_with_a_large_storage, "asks for much more memory"),
    "compressed": (compressed, "its archive is compressed"),
    "overlap": (entries_that_overlap, "claims more bytes than the file has"),
    "deep": (deep, "nested deeper than"),
}

MEASURE = """
import json, os, resource, sys, traceback
from pathlib import Path
from models import CheckpointError
from models.weights import unpickling
from models.weights.reading import read_checkpoint

def measure(limit, path):
    unpickling.SECONDS = limit
    try:
        read_checkpoint(Path(path), ("kp_detector", "generator"))
        said = "read"
    except CheckpointError as error:
        said = str(error)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    # Its ru_maxrss would count the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    return {
        "said": said,
        "seconds": children.ru_utime + children.ru_stime + own.ru_utime + own.ru_stime,
        "memory": 1024 * max(children.ru_maxrss, peak),
    }

# Each file in a process of its own, which has PyTorch from this one.
for limit, path in json.loads(sys.argv[1]):
    if os.fork() == 0:
        try:
            print(json.dumps(measure(limit, path)), flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.wait()
"""


def limit_of(kind: str) -> int:
    """Seconds of processor time that a file may take.

    A slow machine may take as long for what is refused for another reason.
    """
    return LIMIT if HOSTILE[kind][1].startswith("takes more than") else 20 * LIMIT


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """The files, and what reading each came to."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = {kind: make(folder / f"{kind}.pth") for kind, (make, _) in HOSTILE.items()}
    done = subprocess.run(
        [
            *(sys.executable, "-c", MEASURE),
            json.dumps([(limit_of(kind), str(path)) for kind, path in paths.items()]),
        ],
        capture_output=True,
        check=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.stderr == b""
    answers = map(json.loads, done.stdout.splitlines())
    return dict(zip(paths, zip(paths.values(), answers, strict=True), strict=True))


# All are read for the first.
@pytest.mark.timeout(660)
@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_small_file_costs_little_and_is_refused_in_a_line(
    kind: str, measured: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    path, answer = measured[kind]
    size = path.stat().st_size
    assert size < 2_000_000
    assert HOSTILE[kind][1] in answer["said"]
    assert "\n" not in answer["said"]
    # A process loads PyTorch, on a machine that may be slow.
    assert answer["seconds"] < LIMIT + 30
    assert answer["memory"] < PYTORCH + MEMORY + MEMORY_TO_FILE * size


def test_a_whole_checkpoint_of_some_size_is_read(tmp_path: Path) -> None:
    # What the limits must leave room for: all of a file in the entries that are kept.
    path = tmp_path / "large.pth"
    weights = {f"w{i}": torch.full((1 << 22,), float(i)) for i in range(8)}
    for old in (False, True):
        torch.save({"generator": weights}, path, _use_new_zipfile_serialization=not old)
        tensors = read_checkpoint(path, ("generator",))
        assert {name: float(t[-1]) for name, t in tensors.items()} == {
            f"generator.w{i}": float(i) for i in range(8)
        }


def test_texts_longer_than_their_bound_are_refused(tmp_path: Path) -> None:
    """Each zero character takes six in JSON."""
    path = tmp_path / "long.pth"
    torch.save({"generator": {"w": "\0" * (MAX_TREE // 6 + 1)}}, path)
    with pytest.raises(CheckpointError, match="more than 67108864 bytes of texts and numbers"):
        unpickle(path)


def test_a_folder_for_temporary_files_without_room_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands for a full disk; the child has it from here."""
    path = tmp_path / "sound.pth"
    torch.save({"generator": {"w": torch.zeros(100_000)}}, path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(CheckpointError) as refusal:
            unpickle(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(refusal.value).startswith(f"{tmp_path}: has no room for what {path} holds")


def test_everything_that_a_training_state_holds_comes_back(tmp_path: Path) -> None:
    state: dict[Any, Any] = {
        "metadata": {"a": "b"},
        "numbers": [1, 2.5, True, None, float("inf")],
        "betas": (0.9, 0.99),
        "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
        "random": torch.get_rng_state(),
        "empty": torch.zeros(0, 3),
        "half": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).t(),
    }
    torch.save(state, tmp_path / "state.pt")
    back = unpickle(tmp_path / "state.pt")
    assert back.keys() == state.keys()
    for name in ("metadata", "numbers", "betas"):
        assert back[name] == state[name]
        assert type(back[name]) is type(state[name])
    assert back["state"][0]["step"] == 3
    assert back["state"][1] == {}
    for name in ("random", "empty", "half"):
        assert torch.equal(back[name], state[name])
        assert back[name].dtype == state[name].dtype
    # Writing to them changes neither the file nor fails.
    back["random"] += 1
    torch.save({"size": torch.Size([1]), "sparse": torch.eye(2).to_sparse()}, tmp_path / "other")
    assert unpickle(tmp_path / "other") == {
        "size": NotKept("Size"),
        "sparse": NotKept("tensor without plain numbers"),
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_reading_stops_at_once_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    path = keyed_by_a_shared_tuple(tmp_path / "small.pth")
    folder = tmp_path / "temporary"
    folder.mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from gfvc.cli.main import run; run()"),
            *("models", "import", "fomm", str(path)),
        ],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder), "GFVC_MODELS": str(tmp_path / "weights")},
    )
    child = wait_for_child(process.pid)
    process.send_signal(number)
    # Far less than what the file would take; the machine may be busy.
    status = process.wait(timeout=8)
    assert status in (143, 130, -number)
    deadline = time.monotonic() + 8
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "weights").exists()


def wait_for_child(pid: int) -> int:
    """The process that reads, once it has set its limits and reads."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                limits = Path(f"/proc/{child}/limits").read_text().splitlines()
                [cpu] = [line.split() for line in limits if line.startswith("Max cpu time")]
                if cpu[3] != "unlimited":
                    return int(child)
        time.sleep(0.05)
    raise AssertionError("no process reads the file")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_header_of_safetensors_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    header = b"{" + b" " * MAX_HEADER + b"}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match=f"its header has {len(header)} bytes, at most"):
        read_checkpoint(path, ENTRIES)


def test_a_reader_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "small.pth", b"\x80\x02}.")
    monkeypatch.setattr(unpickling, "_CHILD", tmp_path / "absent.py")
    with pytest.raises(CheckpointError, match=r"the process that reads it failed .*t open file"):
        unpickle(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match="is not a regular file"):
        read_checkpoint(path, ENTRIES)
    with pytest.raises(CheckpointError, match="is not a regular file"):
        check_tensor_file(path, 1000)
