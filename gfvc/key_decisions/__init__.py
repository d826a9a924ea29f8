"""When generation goes wrong, and what is done about it: a new key picture, or ordinary video.

`scene_cuts` finds cuts, `quality` measures what a receiver sees, `monitor` decides.
`reference_choice` goes back to an earlier key picture.
See docs/decisions.md.
"""

from __future__ import annotations
