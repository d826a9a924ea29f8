"""How many bits a clip takes: presets of quality, and the settings that meet a bitrate.

`ladder` says how bits are split between key pictures and face parameters, `search` finds the
settings of a bitrate. See docs/rate_control.md.
"""
