"""Reading a parity pack: NAME.json (tensor lists and checksums) and NAME.npz (golden arrays)."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.parity.errors import ParityPackError

MAX_RATIO = 64
"""Bytes of arrays for each byte of their archive; measured arrays are far below."""

Specification = tuple[tuple[int, ...], str]
"""Shape and dtype of a tensor."""


@dataclass(frozen=True)
class ParityPack:
    """What the reference says about one network.

    Attributes:
        tensors: shape and dtype by checkpoint entry, dot, parameter name.
        checksums: CRC-32 of every filled tensor, by the same names.
        golden: arrays of the reference run, by name.
        listed: names of the golden arrays according to the JSON file.
    """

    tensors: dict[str, Specification]
    checksums: dict[str, int]
    golden: dict[str, NDArray[Any]]
    listed: tuple[str, ...]


def read_pack(folder: Path, name: str) -> ParityPack:
    """Read ``folder/name.json`` and ``folder/name.npz``.

    Raises:
        ParityPackError: a file is missing, is not what its name says, or lacks a field.
    """
    description_path, golden_path = folder / f"{name}.json", folder / f"{name}.npz"
    try:
        description = json.loads(description_path.read_text(encoding="utf-8"))
        tensors = {
            f"{entry}.{tensor}": (tuple(int(n) for n in shape), str(dtype))
            for entry, tensors in description["entries"].items()
            for tensor, shape, dtype in tensors
        }
        checksums = {str(key): int(value) for key, value in description["fill_crc32"].items()}
        listed = tuple(description["golden_keys"])
    except OSError as error:
        raise ParityPackError(f"{description_path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParityPackError(f"{description_path}: not a parity pack ({error!r})") from error
    try:
        _check_archive(golden_path)
        with golden_path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            golden = {key: archive[key] for key in archive.files}
    except OSError as error:
        raise ParityPackError(f"{golden_path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ParityPackError(f"{golden_path}: not an archive of arrays ({error})") from error
    for key, array in golden.items():
        if array.dtype.kind not in "uif":
            raise ParityPackError(f"{golden_path}: {key} has dtype {array.dtype}: want numbers")
    return ParityPack(tensors, checksums, golden, listed)


def _check_archive(path: Path) -> None:
    """Raise `ValueError` for an archive that would ask for much more memory than it has bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_RATIO * path.stat().st_size:
            raise ValueError(f"its arrays are more than {MAX_RATIO} times its size")
        for entry in entries:
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
                read = np.lib.format.read_array_header_1_0
                if version != (1, 0):
                    read = np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)  # type: ignore[no-untyped-call]
            if math.prod(shape) * dtype.itemsize > entry.file_size:
                raise ValueError(f"{entry.filename} claims more numbers than it has")
