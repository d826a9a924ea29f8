"""Verification: whether a stream with face messages is consistent, and what to look out for."""

from gfvc.verification.contained import verify_contained
from gfvc.verification.decoded_files import verify_decoded
from gfvc.verification.findings import Finding, Place, Severity
from gfvc.verification.verifier import verify_stream

__all__ = [
    "Finding",
    "Place",
    "Severity",
    "verify_contained",
    "verify_decoded",
    "verify_stream",
]
