"""Editing the face of a stream: what its messages say of pose and expression."""

from gfvc.face_edits.editor import edit
from gfvc.face_edits.script import read_script
from gfvc.face_edits.sequence_editor import EditSummary

__all__ = ["EditSummary", "edit", "read_script"]
