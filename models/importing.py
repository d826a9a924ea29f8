"""Libraries, imported where no handler of a signal can break in.

What a handler raises meanwhile, as for Ctrl-C or a deadline, leaves half of a library behind, and
most of the large ones cannot be imported again in that process. Handlers run in the main thread
only: so another one imports, and goes on to the end when the main thread waits no more.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")

_loaded: set[str] = set()


def load(*names: str) -> None:
    """Import libraries, so that `import` finds them; raises what that raises."""
    missing = [name for name in names if name not in _loaded]
    if missing:
        apart(lambda: [importlib.import_module(name) for name in missing])
        _loaded.update(missing)


def apart(work: Callable[[], Result]) -> Result:
    """What `work` returns or raises, called in a thread of its own if this is the main one.

    It must not import modules of ours: the thread that waits for it may be about to do that.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    try:
        threading.Thread(target=run, name="gfvc imports").start()
    except RuntimeError:  # no more threads, or the interpreter ends
        return work()
    return done.result()
