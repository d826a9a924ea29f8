"""Editing the SEI messages of a stream: extract, inject, remove; all else stays byte for byte."""

from gfvc.editing.cutting import MessageSelection
from gfvc.editing.extraction import extract_messages, extract_payloads
from gfvc.editing.injection import InjectionSummary, inject_messages
from gfvc.editing.removal import RemovalSummary, remove_messages

__all__ = [
    "InjectionSummary",
    "MessageSelection",
    "RemovalSummary",
    "extract_messages",
    "extract_payloads",
    "inject_messages",
    "remove_messages",
]
