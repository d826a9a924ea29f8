"""Verification: whether a stream with face messages is consistent, and what to look out for."""

from gfvc.verification.findings import Finding, Place, Severity
from gfvc.verification.verifier import verify_stream

__all__ = ["Finding", "Place", "Severity", "verify_stream"]
