"""What can be asked for, each option declared once.

`declaration` says how, `kinds` what values there are; `encoding` and `decoding` hold the options of
`gfvc.encode` and `gfvc.decode`.
"""
