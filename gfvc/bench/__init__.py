"""Rate and quality measured against conventional codecs; docs/bench.md says what and how."""
