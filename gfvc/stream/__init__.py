"""What a stream is: our user data, and taking streams apart and putting them together.

Encoder, decoder and editing stand on this, none of them on another. `information`, `schedule` and
`references` are the user data message; `reader` and `writer` go through elementary streams,
`containers` through MP4 and the like; `names` says what suffixes and URIs mean.
`byte_stream` and `sei_rewriting` are for streams that are rewritten and stay the same but for
messages.
"""
