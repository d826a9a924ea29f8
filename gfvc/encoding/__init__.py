"""From pictures to a stream.

    planner         what becomes of each picture: key picture, driven, or ordinary video; no I/O
    debt            when a key picture is worth its bits

See docs/architecture.md.
"""

from __future__ import annotations
