"""Advice about the machine."""

from __future__ import annotations

import sys
from pathlib import Path

_ALLOCATORS = ("tcmalloc", "jemalloc")


def allocator_hint(device: str) -> str | None:
    """Advise a faster memory allocator where training on a CPU runs without one."""
    maps = Path("/proc/self/maps")
    if device != "cpu" or not sys.platform.startswith("linux") or not maps.exists():
        return None
    loaded = maps.read_text(encoding="utf-8", errors="replace")
    if any(name in loaded for name in _ALLOCATORS):
        return None
    return (
        "hint: training on a CPU is up to twice as fast with LD_PRELOAD=libtcmalloc_minimal.so.4 "
        "(or libjemalloc.so.2); on Debian: apt-get install libtcmalloc-minimal4"
    )
