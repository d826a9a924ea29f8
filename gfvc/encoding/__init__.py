"""From pictures to a stream.

A pass over a clip:

clip            a clip, and what its options ask of the parts
coding_pass     one pass: part by part, where coding starts anew
clip_part       pictures that are coded as if they were all of a clip
part_choice     where a long clip is best cut into parts
target_bitrate  passes with settings that come nearer and nearer to a bitrate
passes          the two kinds of passes, put together of a planner, its facts and an executor
decisions       what can become of a picture, and the facts that decide it
planner         plans what becomes of each picture: key picture, driven, or ordinary video; no I/O
executor        carries the plan out: picture by picture, or segment by segment; ordinary video
work_done       how many pictures are done, as work on them goes on

What a planner asks about pictures:

scene_changes   whether a scene starts, or goes over into another
face_places     where faces may be, and at which place the first one is
face_watch      who is shown: whether a face is still that of the key picture
key_candidates  which picture is worth drawing others from

Key pictures alone, each coded as it comes:

measured_facts  what the planner asks
face_units      access units: which messages they carry, and which values

Predicted coded pictures, a segment coded as a whole:

tracked_facts       what the planner asks
picture_store       pictures that wait, in a file
captions            where captions come and go
coded_choice        which pictures of a segment are coded
sketches            what is drawn to choose them
segments            codes a segment: its base layer, then the faces between; or makes it ordinary
                    video, where its coded key picture shows no face or that takes fewer bits
filter_choice       whether a segment goes by the post-filter
sequence_faces      faces of a segment in all of its pictures; where a further face is drawn
face_messages       which coded pictures have messages, and which
grid_choice         which control grids are sent
grid_fitting        their nodes, by rate and distortion

See docs/architecture.md.
"""

from __future__ import annotations
