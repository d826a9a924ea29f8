"""What is measured, how coarsely, and what is shown of it: options of `gfvc bench` and `report`."""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.options.declaration import OptionGroup, documented, option, switch
from gfvc.options.encoding import FACE_SIDE, PICTURE_SIZE, VIEWS, View, face_size_conflict
from gfvc.options.kinds import between, either, real, several, text, whole, words

PEERS = ("vvenc", "x265", "svtav1")
"""The conventional codecs that gfvc is compared with."""

PRESETS = ("full", "quick", "jvet")

FACE_KBPS, WHOLE_KBPS = 20.0, 60.0
"""Up to which rates a face alone, and a whole picture, is compared."""

_POSITIVE = real(0, 1e6, "a number")


@documented
@dataclass(frozen=True, kw_only=True)
class BenchOptions(OptionGroup, title="what is measured"):
    """What of clips is measured. What is None is the preset's."""

    preset: str = option(
        words(*PRESETS),
        "what to measure; jvet: key picture QPs of JVET's test conditions, beside VVenC in low "
        "delay at the clip's size and rate",
        "full",
    )
    view: View = option(
        words(*VIEWS),
        "what all codecs code; face: a square around the face; whole: the whole picture, as gfvc "
        "encode does, in which faces are measured in a square",
        "face",
    )
    models: tuple[str, ...] | None = option(
        several(text(), "NAME,…"), "models", shown="that of gfvc encode"
    )
    key_qps: tuple[int, ...] | None = option(
        several(whole(0, 63), "N,…"), "QPs of key pictures, 0..63", shown="the preset's"
    )
    variant: tuple[str, ...] = option(
        text("NAME:OPTION=VALUE,…"),
        "one more curve of gfvc, with further options of gfvc.EncodeOptions; may be repeated",
        (),
        repeats=True,
    )
    peers: tuple[str, ...] | None = option(
        either(words(none=()), several(words(*PEERS), "NAME,…")),
        f"codecs to compare with: some of {', '.join(PEERS)}, or none",
        shown="those of them that ffmpeg has; vvenc with --quick and --preset jvet",
    )
    native_peers: bool = switch("peers at the clip's size and rate only, not also at lower ones")
    size: int | tuple[int, int] | None = option(
        PICTURE_SIZE,
        "side of the squares, a multiple of 8; of --view whole as gfvc encode has it: the shorter "
        "side, or a width and height to fit into",
        shown=f"{FACE_SIDE}; the clip's, up to 1280x720, with --view whole",
    )
    seconds: float | None = option(_POSITIVE, "measure the first so many seconds of each clip")
    above: float = option(
        between(0, 1e6), "Bjøntegaard rates are of what lies above so many kbit/s", 1.0
    )
    below: float | None = option(
        _POSITIVE,
        "and below so many; of a curve that goes beyond, one point is measured there",
        shown=f"{FACE_KBPS:g}; {WHOLE_KBPS:g} with --view whole",
    )
    no_vmaf: bool = switch("leave VMAF out, as is done where ffmpeg lacks libvmaf")

    def conflict(self) -> str | None:
        """The face alone is a square."""
        return face_size_conflict(self.size) if self.view == "face" else None


@documented
@dataclass(frozen=True, kw_only=True)
class ReportOptions(OptionGroup, title="what is shown"):
    """What is shown on the page."""

    view: View | None = option(
        words(*VIEWS),
        "whole: videos as they were coded; face: of whole pictures the face squares, in which "
        "faces are measured",
        shown="as gfvc bench coded them",
    )
    max_megabytes: float = option(
        between(0, 512),
        "most that videos and pictures may take, in 10⁶ bytes; the page names what did not fit",
        64.0,
    )
