"""FOMM, CFTE and FV2V: networks of papers whose weights others published.

layers           what they are built of, each defined once
model            what the codec's models of them have in common
training         what their training has in common
fomm, cfte, fv2v configuration, network, model, training of each
"""
