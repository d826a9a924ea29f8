"""What to send of the face parameters of an access unit, decided by rate and distortion.

What becomes of pictures is decided elsewhere: `gfvc.encoding.decisions`.

    face_parts     face parameters as parts, and back
    parts          keypoints and matrices as rows of targets, in quantisation steps
    schedule       the pictures whose message carries a part; the others are interpolated
    trellis        the quantised values, by code length and distortion
    byte_filling   once more, now that messages are known to be whole bytes
    decision       all of it in order, and what it costs, to compare precisions by
    access_unit    the same for every reference of an access unit, in the precision that costs less

Distortion is the sum of weighted squared errors over all pictures, those without a message
included. The Lagrangian multiplier is the distortion that a bit may cost.
"""
