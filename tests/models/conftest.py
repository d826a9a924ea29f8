"""Settings of the tests of the models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.models.reading import reading_here

# The machine may be busy; how long a test may take is pytest-timeout's business.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def read_here() -> Iterator[None]:
    """For tests of what is made of a file, not of the process that reads it."""
    with reading_here():
        yield
