"""What a pass over a clip is, whichever way its pictures are coded."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gfvc.encoding.clip import Clip
from gfvc.encoding.executor import Tally
from gfvc.rate_control import RateSettings
from gfvc.stream.writer import StreamWriter
from models import Analyser
from models.contract import Closable, Picture


class Pass(Closable, ABC):
    """Takes the pictures of a clip in order, and writes a stream. Use as a context.

    Raises `GfvcError`, `ModelError` or `BaseCodecError` when a picture cannot be coded.
    """

    @abstractmethod
    def __init__(
        self, clip: Clip, settings: RateSettings, writer: StreamWriter, analyser: Analyser
    ) -> None:
        """Start a pass over a clip with some settings; `analyser` is new, or rewound."""

    @abstractmethod
    def take(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [size, size, 3]."""

    @abstractmethod
    def finish(self) -> None:
        """Code what is held back, at the end of the clip."""

    @property
    @abstractmethod
    def tally(self) -> Tally:
        """Output pictures so far."""

    @property
    @abstractmethod
    def pictures_of_units(self) -> list[int]:
        """Output pictures of each coded picture."""

    @property
    @abstractmethod
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""

    @property
    @abstractmethod
    def base_codec_seconds(self) -> float:
        """Time spent in programs of the base codec."""
