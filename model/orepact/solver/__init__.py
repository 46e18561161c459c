"""Solving: the hand-over to HiGHS (or another solver), the search over price paths, progress, limits and the result."""
