"""Training the `face` network for pictures that are drawn from one or two coded pictures.

    clips ── prepare ──► prepared/ ── learn, on a GPU ──► weights

Preparing codes pictures with a real encoder and finds, as an encoder of the project would, the
values that drive the pictures between them. It needs the tracker and no GPU. Learning needs a GPU
and neither the tracker nor an encoder, so that the two can run on different machines.
"""
