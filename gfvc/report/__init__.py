"""One HTML page for a finished run of `gfvc bench`; docs/report.md says what is on it."""
