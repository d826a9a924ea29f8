"""The program that reads a file of `torch.save` in a process of its own; see `unpickling`.

It is run by its path and uses nothing of this project, so that it works whatever the caller's
folder and import path are.

    unpickling_child.py CALLER SOURCE TENSORS_FD TREE_FD MEMORY SECONDS FILE_SIZE [WANTED]

It ends when the process CALLER does. SOURCE is read under limits of MEMORY bytes and SECONDS of
processor time beyond what importing PyTorch takes, and of FILE_SIZE bytes a file written. Tensors
are written as safetensors to one file descriptor; to the other a JSON object with either "error",
or "tree" as `unpickling` reads it.
WANTED is a JSON list of the entries that are kept, all by default.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # The folder of this script is no place to import from.
    del sys.path[0]

import ctypes
import gc
import os

if __name__ == "__main__":
    # PR_SET_PDEATHSIG, SIGKILL: whatever ends the caller ends this too.
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the caller has ended")
    # Importing PyTorch makes a great many objects and hardly any garbage.
    gc.disable()

import json
import re
import resource
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_NODES = 1 << 18
MAX_DEPTH = 32
MAX_TREE = 64 << 20
"""Bytes of the JSON that holds all but tensors."""

NO_ROOM = 73
"""Exit status where the two files cannot be written, as EX_CANTCREAT of sysexits.h."""

TENSORS_TO_FILE = 2
"""Bytes of tensors kept for each byte of the file: some share memory, more would be expanded."""

_LONGEST_NAME = 300
_REFUSED = re.compile(r"GLOBAL ([\w.]+\.\w+)")
_NO_MEMORY = re.compile(r"allocate memory|not enough memory|mmap.*memory", re.IGNORECASE)
_TEXT = 120


class RefusedError(Exception):
    """The file is not read; the text says why."""


class Tree:
    """Turns what was unpickled into lists that JSON can hold, and collects its tensors.

    A node is ["v", number, text or null], ["d", [[key, node], …]], ["l", nodes], ["t", nodes] for a
    tuple, ["n", name of a tensor] or ["x", what it is] for anything that is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[int, str] = {}
        self._left = MAX_NODES
        self._bytes_left = most_bytes

    def node(self, value: Any, depth: int = 0) -> list[Any]:
        """The node of a value.

        Parts that are shared count each time, so that a few bytes cannot make a tree without end.
        """
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise RefusedError(
                f"holds more than {MAX_NODES} values, or nested deeper than {MAX_DEPTH}"
            )
        if value is None or type(value) in (bool, int, float, str):
            return ["v", value]
        if isinstance(value, dict):
            items = [[k, self.node(v, depth + 1)] for k, v in value.items() if _is_key(k)]
            return ["d", items]
        if type(value) in (list, tuple):
            kind = "l" if isinstance(value, list) else "t"
            return [kind, [self.node(item, depth + 1) for item in value]]
        if isinstance(value, Tensor):
            return self._tensor(value)
        return ["x", type(value).__name__[:_LONGEST_NAME]]

    def _tensor(self, tensor: Tensor) -> list[Any]:
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            return ["x", "tensor without plain numbers"]
        if id(tensor) not in self._names:
            self._bytes_left -= tensor.numel() * tensor.element_size()
            if self._bytes_left < 0:
                raise RefusedError(
                    f"its tensors ask for more than {TENSORS_TO_FILE} times the bytes of the file"
                )
            name = str(len(self.tensors))
            # Copies, because tensors may share memory, which safetensors does not.
            self.tensors[name] = tensor.detach().clone(memory_format=torch.contiguous_format)
            self._names[id(tensor)] = name
        return ["n", self._names[id(tensor)]]


def _is_key(key: Any) -> bool:
    return type(key) is int or (type(key) is str and len(key) <= _LONGEST_NAME)


def check_archive(path: Path) -> bool:
    """Whether the file is a ZIP archive; raise `RefusedError` for one that swells when read."""
    with path.open("rb") as file:
        begins = file.read(4) == b"PK\3\4"
    if not zipfile.is_zipfile(path):
        if begins:
            raise RefusedError("cut off or not a checkpoint of torch.save (its archive has no end)")
        return False
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise RefusedError(
            "its archive is compressed, which torch.save never does; unpack and save it"
        )
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise RefusedError("its archive claims more bytes than the file has")
    return True


def read(path: Path, wanted: Collection[str] | None) -> tuple[list[Any], dict[str, Tensor]]:
    """The tree of a file and its tensors; of a dictionary only the wanted entries have content."""
    is_archive = check_archive(path)
    with warnings.catch_warnings():
        # Files of old or foreign writers are remarked upon; what matters is whether they load.
        warnings.simplefilter("ignore")
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    if not isinstance(content, dict):
        raise RefusedError(f"holds a {type(content).__name__}, not a dictionary")
    if wanted is not None:
        content = {
            key: value if _entry(key) in wanted else None
            for key, value in content.items()
            if _is_key(key)
        }
    tree = Tree(TENSORS_TO_FILE * path.stat().st_size + 4096)
    return tree.node(content), tree.tensors


def _entry(key: str | int) -> str:
    return str(key).removeprefix("module.").partition(".")[0]


def reason(error: Exception) -> str:
    """What an error says of the file, in a few words."""
    if isinstance(error, RefusedError):
        return str(error)
    text = str(error)
    if isinstance(error, MemoryError) or _NO_MEMORY.search(text):
        return "asks for much more memory than the file is large"
    if refused := _REFUSED.search(text):
        return (
            f"refused, because loading it would run {refused[1]}; weights need no code, and "
            "nothing was run"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # PyTorch begins with advice to load unsafely; what is wrong stands behind it.
    telling = [line for line in lines if "weights_only" not in line and "docs/stable" not in line]
    words = (telling or [type(error).__name__])[0][:_TEXT]
    return f"cut off or not a checkpoint of torch.save ({words})"


def set_limits(memory: int, seconds: int, file_size: int) -> None:
    """Bound what this process may take from now on; the kernel ends it when it takes more."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    mapped = pages * resource.getpagesize()
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    limits = {
        resource.RLIMIT_AS: mapped + memory,
        resource.RLIMIT_CPU: spent + seconds,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        given, hard = resource.getrlimit(limit)
        most = most if given == resource.RLIM_INFINITY else min(most, given)
        resource.setrlimit(limit, (most, hard))


def write(descriptor: int, content: bytes) -> None:
    """Write one of the two files, or end with `NO_ROOM`."""
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
    except OSError:
        sys.exit(NO_ROOM)


def main(arguments: list[str]) -> None:
    """Read the file, write what it holds or why it is not read."""
    source, tensors_fd, tree_fd, *numbers = arguments[:6]
    memory, seconds, file_size = map(int, numbers)
    wanted = json.loads(arguments[6]) if len(arguments) > 6 else None
    from safetensors.torch import save

    torch.set_num_threads(1)
    set_limits(memory, seconds, file_size)
    try:
        tree, tensors = read(Path(source), wanted)
        write(int(tensors_fd), save(tensors))
        text = json.dumps({"tree": tree})
        if len(text) > MAX_TREE:
            raise RefusedError(f"holds more than {MAX_TREE} bytes of texts and numbers")
    # Damaged bytes make the unpickler raise nearly anything.
    except Exception as error:
        text = json.dumps({"error": reason(error)})
    write(int(tree_fd), text.encode("ascii"))


if __name__ == "__main__":
    gc.enable()
    main(sys.argv[2:])
    # All is written. Taking PyTorch down takes about half as long as importing it.
    os._exit(0)
