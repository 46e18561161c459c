"""Solving: the matrix for HiGHS (or, through Pyomo, another solver), the search over price paths, progress, limits and the result."""
