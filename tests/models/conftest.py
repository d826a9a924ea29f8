"""Settings of the tests of the models."""

from __future__ import annotations

from hypothesis import settings

# The machine may be busy; how long a test may take is pytest-timeout's business.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
