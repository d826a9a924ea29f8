"""Layers shared by the animation networks, each defined once.

Pictures are RGB, planar, float in 0..1 (8-bit value / 255) without mean subtraction.
"""
