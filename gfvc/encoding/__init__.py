"""From pictures to a stream.

coding_pass     one pass over a clip, put together of what follows
target_bitrate  passes with settings that come nearer and nearer to a bitrate
planner         what becomes of each picture: key picture, driven, or ordinary video; no I/O
debt            when a key picture is worth its bits
facts           what the planner asks about pictures
scene_cuts, fades, face_quality    three of these facts
face_watch      who is shown: whether a face is still that of the key picture
key_candidates, key_measuring   which picture is worth drawing others from
executor        carries decisions out
face_units      access units: which messages they carry, and which values
ordinary_video  sequences of the base codec

See docs/architecture.md.
"""

from __future__ import annotations
