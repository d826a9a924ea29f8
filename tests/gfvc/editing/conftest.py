"""Fixtures: streams to edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc import EncodeOptions, encode
from tests.gfvc.editing.streams import duet, write_stream


@pytest.fixture(scope="session")
def vvc_low_delay(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """Twelve pictures as a VVC stream with a NAL unit for each message, two of them key."""
    path = tmp_path_factory.mktemp("coded") / "low_delay.266"
    encode(short_clip, path, EncodeOptions(model="mesh", key_interval=6, low_delay=True))
    return path


@pytest.fixture(scope="session")
def hevc_low_delay(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """The same in HEVC."""
    path = tmp_path_factory.mktemp("coded") / "low_delay.265"
    encode(short_clip, path, EncodeOptions(model="mesh", key_interval=6, low_delay=True))
    return path


@pytest.fixture
def duet_stream(tmp_path: Path) -> Path:
    """Two pictures with two faces."""
    return write_stream(tmp_path / "duet.266", *duet())
