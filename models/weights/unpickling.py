"""Reading a file of `torch.save` in a process that can be ended.

PyTorch's restricted unpickler runs no code of the file, but a few bytes can still make it compute
or allocate without end: in C, where neither a time limit nor a signal reaches Python. So a child
process reads the file, under limits that the kernel holds. It hands back plain numbers, texts and
tensors, as JSON and safetensors, in files without a name: nothing is left behind however either
process ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from models.errors import CheckpointError
from models.weights.unpickling_child import MAX_TREE, NO_ROOM

MAX_CHECKPOINT = 4 << 30
"""Bytes; training checkpoints hold the optimisers' states too."""

MEMORY = 256 << 20
"""Bytes that reading may take besides `MEMORY_TO_FILE` times the size of the file."""

MEMORY_TO_FILE = 6
SECONDS = 10
"""Seconds of processor time that reading may take, and one more for each `BYTES_A_SECOND`."""

BYTES_A_SECOND = 50_000_000
PATIENCE = 10
"""Seconds on the clock for each of processor time: other work may hold the processors."""

_START = 30  # seconds on the clock that loading PyTorch may take, times `PATIENCE`
_CHILD = Path(__file__).with_name("unpickling_child.py")


@dataclass(frozen=True, slots=True)
class NotKept:
    """Stands for a value that is neither number, text, tensor nor a collection of them."""

    kind: str


def unpickle(path: Path, wanted: Collection[str] | None = None) -> dict[Any, Any]:
    """The dictionary in a file of `torch.save`: dictionaries, lists, numbers, texts and tensors.

    With `wanted`, entries (what is before the first dot of a key, `module.` aside) of other names
    are None. Keys that are neither texts nor integers are left out.

    Raises:
        CheckpointError: the file is damaged or no such file, holds no dictionary, wants to run
            code, or asks for more memory or time than its size explains; or there is no room in
            ``TMPDIR`` for what it holds.
    """
    size = path.stat().st_size
    if size > MAX_CHECKPOINT:
        raise CheckpointError(f"{path}: larger than {MAX_CHECKPOINT} bytes")
    seconds = SECONDS + size // BYTES_A_SECOND
    memory = MEMORY + MEMORY_TO_FILE * size
    with (
        tempfile.TemporaryFile() as tensors,
        tempfile.TemporaryFile() as tree,
        tempfile.TemporaryFile() as complaints,
    ):
        command = [sys.executable, str(_CHILD), str(os.getpid()), str(path.absolute())]
        command += map(str, (tensors.fileno(), tree.fileno(), memory, seconds, 2 * size + MAX_TREE))
        if wanted is not None:
            command.append(json.dumps(sorted(wanted)))
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            pass_fds=(tensors.fileno(), tree.fileno()),
            # Each thread of a library would reserve memory of its own.
            env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
        )
        try:
            status = process.wait(timeout=PATIENCE * (_START + seconds))
        except subprocess.TimeoutExpired:
            status = -signal.SIGXCPU
        finally:
            # Also when a signal ends this process: the child may be deaf to all but this.
            process.kill()
            process.wait()
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            raise CheckpointError(
                f"{path}: takes more than {seconds} s to read, much more than a file of its size "
                "explains; refused"
            )
        if status == NO_ROOM:
            raise CheckpointError(
                f"{tempfile.gettempdir()}: has no room for what {path} holds while it is read; "
                "free some, allow larger files (ulimit -f), or set TMPDIR"
            )
        answer = _answer(path, tree, complaints, status)
        if "error" in answer:
            raise CheckpointError(f"{path}: {answer['error']}")
        content: dict[Any, Any] = _restored(answer["tree"], _tensors(path, tensors))
        return content


def _answer(path: Path, tree: IO[bytes], complaints: IO[bytes], status: int) -> dict[str, Any]:
    tree.seek(0)
    text = tree.read(MAX_TREE)
    if status == 0 and text:
        answer: dict[str, Any] = json.loads(text)
        return answer
    if status < 0:
        name = signal.Signals(-status).name
        raise CheckpointError(f"{path}: damaged or no checkpoint (reading it ended with {name})")
    complaints.seek(0)
    lines = complaints.read(MAX_TREE).decode(errors="replace").strip().splitlines()
    why = lines[-1][:120] if lines else f"exit status {status}"
    raise CheckpointError(f"{path}: the process that reads it failed ({why})")


def _tensors(path: Path, file: IO[bytes]) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        # The file has no name but this; its pages are mapped, not read into memory.
        return load_file(f"/proc/self/fd/{file.fileno()}")
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(f"{path}: cannot be kept while it is read ({error})") from None


def _restored(node: list[Any], tensors: dict[str, Tensor]) -> Any:
    kind, content = node
    if kind == "v":
        return content
    if kind == "n":
        return tensors[content]
    if kind == "x":
        return NotKept(content)
    if kind == "d":
        return {key: _restored(value, tensors) for key, value in content}
    items = [_restored(item, tensors) for item in content]
    return tuple(items) if kind == "t" else items
