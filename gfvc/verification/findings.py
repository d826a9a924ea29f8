"""What a verification has to say, and what its checks have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from sei.inspection import InspectedMessage, InspectedUnit


class Severity(Enum):
    """How bad a finding is: only errors make a stream inconsistent."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found, as far as it has one place; all numbers count from 0.

    `nal` is the NAL unit in the stream, `offset` the byte of its header, `picture` the access
    unit, `message` the SEI message in the NAL unit.
    """

    nal: int | None = None
    offset: int | None = None
    picture: int | None = None
    message: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: how bad, which check found it, where, and what it is."""

    severity: Severity
    check: str
    place: Place
    text: str

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc verify --json` prints on a line of its own."""
        return {
            "severity": self.severity.value,
            "check": self.check,
            **asdict(self.place),
            "text": self.text,
        }


class Check:
    """One thing that is verified. It is shown a stream in order and says what it finds.

    `name` stands in its findings.
    """

    name: str

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit, before its messages."""
        return ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterable[Finding]:
        """See an SEI message, or the damage in an SEI NAL unit."""
        return ()

    def see_end_of_picture(self) -> Iterable[Finding]:
        """See the end of an access unit."""
        return ()

    def see_end(self) -> Iterable[Finding]:
        """See the end of the stream."""
        return ()

    def error(self, place: Place, text: str) -> Finding:
        """An error found by this check."""
        return Finding(Severity.ERROR, self.name, place, text)

    def warning(self, place: Place, text: str) -> Finding:
        """A warning found by this check."""
        return Finding(Severity.WARNING, self.name, place, text)

    def information(self, place: Place, text: str) -> Finding:
        """Something worth knowing, found by this check."""
        return Finding(Severity.INFORMATION, self.name, place, text)
