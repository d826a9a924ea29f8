"""Video as phones, cameras and editors make it: which stream, which way up, what colours, when.

`gfvc.video_reader` puts the parts together.
"""
