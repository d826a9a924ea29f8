from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
from models.landmarks.tracking import FaceTracker
with FaceTracker() as tracker:
    assert tracker.look(np.zeros((64, 64, 3), np.uint8)) is None
assert "matplotlib.pyplot" not in sys.modules
import matplotlib.pyplot
assert matplotlib.pyplot.figure is not None
import mediapipe
assert mediapipe.solutions.drawing_utils is not None
print("ok")
"""


def test_tracking_does_not_wait_for_a_plotting_library_and_leaves_it_usable() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
