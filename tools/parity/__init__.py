"""Proof that our FOMM, CFTE and FV2V compute what the reference implementations compute.

``python -m tools.parity NAME --pack DIR`` runs it.
"""
