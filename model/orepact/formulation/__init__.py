"""What may be chosen: one concept = one Block = one file, in the explicit order of `build.PARTS`.

Conventions of every part. Indices: i node, k product, p place (see `Case.place`), f facility, o source, t period, w scenario,
l rung. Amounts are in the world's scaled units. A part's docstring is its page in docs/mathematics.md: the law, the formula,
what it reads, what it adds, what it assumes.
"""
