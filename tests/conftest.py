"""Shared fixtures: where the reference material lives, and how tests skip without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


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
