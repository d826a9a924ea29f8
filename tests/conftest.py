"""Shared fixtures: where the reference material lives, and how tests skip without it.

Here too: what lets several processes test side by side on few processors.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

# Read when PyTorch is loaded, here and in processes that tests start. Threads that have nothing to
# do would turn in circles otherwise, on processors that another process wants.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Programs that tests start would compile all modules of ours anew, each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_finish() -> None:
    """Keep what was imported out of collections of garbage: all of it stays, and it is much.

    What tests make themselves is looked through less often, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def find_shared() -> Path | None:
    """Folder of the reference material (vectors, parity packs, clips), or None when absent.

    ``GFVC_SHARED`` names it; the default is ``../shared`` beside the repository.
    """
    folder = Path(os.environ.get("GFVC_SHARED", REPOSITORY.parent / "shared"))
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = find_shared()
    if folder is None:
        pytest.skip("reference material absent: set GFVC_SHARED to its folder")
    return folder
