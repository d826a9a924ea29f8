"""Pictures that generation serves badly, sent as ordinary video of the base codec instead.

`stretches` decides where such a stretch starts and ends, `coding` codes its pictures.
See docs/fallback.md.
"""

from __future__ import annotations
