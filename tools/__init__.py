"""Commands for those who work on the models, run from a checkout; they are not installed."""
