"""Plain torch modules, one file per architecture, and the loading of checkpoints.

Token models here have `hidden` and `readout`: logits are `readout(hidden(tokens))`, step by step,
so that a head need not run where nobody reads it.
"""
