"""Weights of published networks: importing them safely, keeping them, making models of them.

`store` needs no torch; `reading`, `tensors` and `loading` do.
"""
