"""Rate and quality measured against conventional codecs; docs/bench.md says what and how."""

PEERS = ("vvenc", "x265", "svtav1")
PRESETS = ("full", "quick", "jvet")
