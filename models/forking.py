"""Processes that were forked after networks ran: libraries' threads are not in them.

onnxruntime, MediaPipe and PyTorch wait for ever there, for threads that only the parent has, or
abort. So what would begin to use them says so.
"""

from __future__ import annotations

import os

from models.errors import ModelError

FORKED = (
    "this process was forked after gfvc was used in the one that started it, and has none of the "
    'threads of its libraries; start processes by multiprocessing.get_context("spawn") or '
    '"forkserver"'
)


class _Process:
    """Of the running process: whether libraries have begun threads, and whether it lacks them."""

    has_threads = False
    lacks_threads = False

    def forked(self) -> None:
        self.lacks_threads = self.has_threads


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.forked)


def lacks_threads() -> bool:
    """Whether this process was forked after `begin_threads`, or is a fork of such a one."""
    return _process.lacks_threads


def begin_threads() -> None:
    """Called before a library begins threads; raises `ModelError` where it would hang."""
    if _process.lacks_threads:
        raise ModelError(FORKED)
    _process.has_threads = True
