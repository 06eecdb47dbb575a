"""Smaller prompts: pure edits of conversations. No I/O, no clock; what needs a model call is planned here and done by
`pipeline`.

Every edit is deterministic and prefix-stable: what stood in the prompt of turn n stands byte for byte in that of turn
n+1, except for the newest turn's own environment block. Edited values have a `raw` of their own or none (see `edits`);
inputs are never mutated.
"""
