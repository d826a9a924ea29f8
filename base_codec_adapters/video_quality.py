"""VMAF of raw video by an ffmpeg that has the libvmaf filter."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from base_codec_adapters.adapter import DEFAULT_TIMEOUT
from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.ffmpeg import COMMON_OPTIONS, VARIABLE, find_ffmpeg, raw_video_options
from base_codec_adapters.programs import PROBE_MESSAGE_BYTES, PROBE_TIMEOUT
from base_codec_adapters.runner import invalid_output, run_checked
from base_codec_adapters.temporary import temporary_folder

MODEL = "vmaf_v0.6.1"

_NAME = "ffmpeg libvmaf"  # in errors

# A log holds a few hundred bytes a picture; this is for a day of video.
_LOG_BYTES = 1 << 30


@dataclass(frozen=True)
class RawVideo:
    """A file of raw 4:2:0 pictures, 8 bits; `fps` in pictures per second."""

    path: Path
    width: int
    height: int
    fps: Fraction


def find_vmaf(executable: str | Path | None = None) -> Path:
    """Find an ffmpeg that has the libvmaf filter.

    Raises:
        ProgramNotFoundError: no ffmpeg is there, or it lacks the filter.
        ProgramError: it does not run.
    """
    program = find_ffmpeg(executable)
    command = [str(program), "-hide_banner", "-h", "filter=libvmaf"]
    outcome = run_checked(command, timeout=PROBE_TIMEOUT, message_bytes=PROBE_MESSAGE_BYTES)
    # Of a filter that it does not know, ffmpeg says so and ends well.
    if "Filter libvmaf" not in outcome.messages:
        raise ProgramNotFoundError(
            f"{program} has no libvmaf: name an ffmpeg that has it in {VARIABLE}",
            command=outcome.command,
        )
    return program


def vmaf_command(
    reference: RawVideo, distorted: RawVideo, log: Path, executable: Path, threads: int = 1
) -> list[str]:
    """The argument list that compares two raw videos and writes a JSON log."""
    options = f"model='version={MODEL}':log_fmt=json:log_path={_escaped(log)}:n_threads={threads}"
    return [
        str(executable),
        *COMMON_OPTIONS,
        *_input(distorted),
        *_input(reference),
        *("-lavfi", f"[0:v][1:v]libvmaf={options}"),
        *("-f", "null", "-"),
    ]


def measure_vmaf(
    reference: RawVideo,
    distorted: RawVideo,
    *,
    executable: str | Path | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> list[float]:
    """VMAF of each picture, 0..100; `timeout` in seconds for the whole video.

    Raises:
        ProgramNotFoundError: no ffmpeg is there.
        ProgramFailedError, ProgramTimeoutError: it lacks libvmaf, or did not come to a good end.
        OutputInvalidError: its log cannot be read.
        TemporaryFolderError: the temporary folder is full, or cannot be written.
    """
    program = find_ffmpeg(executable)
    with temporary_folder("vmaf-") as folder:
        log = folder / "vmaf.json"
        command = vmaf_command(reference, distorted, log, program)
        outcome = run_checked(command, timeout=timeout, file_bytes=_LOG_BYTES)
        try:
            frames: list[dict[str, Any]] = json.loads(log.read_text())["frames"]
            scores = [float(frame["metrics"]["vmaf"]) for frame in frames]
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"its log cannot be read ({error!r})"
            raise invalid_output(_NAME, problem, outcome) from error
    if not all(math.isfinite(score) for score in scores):
        raise invalid_output(_NAME, "a score is not finite", outcome)
    return scores


def _input(video: RawVideo) -> list[str]:
    return [
        *raw_video_options((video.width, video.height), video.fps, 8),
        *("-color_range", "tv", "-colorspace", "bt709"),
        *("-i", str(video.path)),
    ]


def _escaped(path: Path) -> str:
    """A path as an option of a filter in a filter graph: two levels of quoting in ffmpeg."""
    option = re.sub(r"([\\':])", r"\\\1", str(path))
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)
