"""What security means: one file per kind of target, all of them rows in normal scenarios only."""
