from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.conftest import REPOSITORY
from tests.gfvc.support import ffmpeg

# Reading ends at the damage, while threads of the decoder are at work and have something to say.
_READS = """
import sys
from fractions import Fraction
from pathlib import Path
from av import logging
from gfvc import InputError
from gfvc.video_reader import read_pictures

logging.set_level(logging.INFO)
logging.set_skip_repeated(False)
with logging.Capture(local=False) as of_other_threads, logging.Capture():
    for name in sys.argv[1:]:
        try:
            for picture in read_pictures(Path(name), Fraction(25)):
                pass
        except InputError:
            pass
    print(len(of_other_threads))
"""


def test_a_decoder_is_let_go_when_its_threads_have_ended_their_work(tmp_path: Path) -> None:
    """They wait for Python's lock to write to the log, and who frees a decoder holds that lock."""
    whole = tmp_path / "whole.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.4",
           "-g", "5", "-movflags", "frag_keyframe+empty_moov+default_base_moof", whole)  # fmt: skip
    data = whole.read_bytes()
    paths = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 40):
            damaged[place] = random.integers(0, 256)
        paths.append(tmp_path / f"{seed}.mp4")
        paths[-1].write_bytes(damaged)
    done = subprocess.run(
        [sys.executable, "-c", _READS, *map(str, paths)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert int(done.stdout) > 0
    assert not done.stderr
