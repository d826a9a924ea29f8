"""Errors of the parity check."""

from __future__ import annotations


class ParityPackError(Exception):
    """A parity pack that cannot be used: missing, damaged, or made for another network."""
