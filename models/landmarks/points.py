"""Names for groups of the 478 points of MediaPipe Face Mesh (468 of the face, 10 of the irises).

The numbering is that of the Face Mesh topology with refined landmarks. Contours run in order.
"Left" and "right" are the person's own.
"""

from __future__ import annotations

FACE_POINTS = 468
ALL_POINTS = 478

RIGHT_EYE_OUTER_CORNER = 33
LEFT_EYE_OUTER_CORNER = 263

LIPS_OUTER = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)  # fmt: skip
LIPS_INNER = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)  # fmt: skip
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# The upper lid's fold, from the outer corner to the inner one.
RIGHT_FOLD = (247, 30, 29, 27, 28, 56, 190)
LEFT_FOLD = (467, 260, 259, 257, 258, 286, 414)
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (336, 296, 334, 293, 300, 285, 295, 282, 283, 276)
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 64, 294, 48, 278)
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CHEEKS = (50, 280, 205, 425, 187, 411, 123, 352, 36, 266)
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)
CHIN = 152
FOREHEAD = 10
# What no expression moves: corners of the eyes, the bridge of the nose, and the sides of the head.
RIGID = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 162, 127, 234, 389, 356, 454)
