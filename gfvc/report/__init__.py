"""One HTML page for a finished run of `gfvc bench`; docs/report.md says what is on it."""

DEFAULT_MEGABYTES = 64
"""What videos and pictures of a page may take, in 10⁶ bytes."""
