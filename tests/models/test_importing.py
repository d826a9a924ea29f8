"""Libraries that are being imported while a signal comes."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from models.importing import apart, load

INTERRUPTED = """
import _thread
import sys
import gfvc

class Interrupts:
    \"\"\"As Ctrl-C does, when a module is looked for.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            _thread.interrupt_main()

def use():
    if sys.argv[1].startswith(("cv2", "numpy")):
        gfvc.decode
    elif sys.argv[1].startswith("mediapipe"):
        from models.landmarks.tracking import load_solutions
        load_solutions()
    else:
        from models.runtime import torch_device
        torch_device("cpu")

sys.meta_path.insert(0, Interrupts())
try:
    use()
except KeyboardInterrupt:
    print("interrupted")
del sys.meta_path[0]
use()
"""


@pytest.mark.parametrize(
    "module", ["numpy.linalg", "cv2.gapi", "mediapipe.tasks.python", "torch.nn"]
)
def test_a_library_can_be_used_after_an_interrupt_while_it_is_imported(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_what_an_import_raises_is_raised() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load("no_such_library")


def test_there_may_be_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    assert apart(threading.current_thread) is not threading.main_thread()
    monkeypatch.setattr(threading.Thread, "start", fail)
    assert apart(threading.current_thread) is threading.main_thread()
