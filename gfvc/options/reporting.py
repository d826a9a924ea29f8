"""What of a benchmark is shown: the options of `gfvc report`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gfvc.options.declaration import OptionGroup, documented, option
from gfvc.options.encoding import VIEWS, View
from gfvc.options.kinds import between, words


@documented
@dataclass(frozen=True, kw_only=True)
class ReportOptions(OptionGroup):
    """What is shown on the page."""

    title: ClassVar[str] = "what is shown"

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
