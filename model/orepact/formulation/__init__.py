"""What may be chosen: one concept = one Block = one file, in the explicit order of `build.PARTS`.

Conventions of every part. Indices: i node, k product, p place (see `Case.place`), f facility, o source, t period, w scenario,
l rung. Amounts are in the world's scaled units. A part's docstring is its page in docs/mathematics.md: the law, the formula,
what it reads, what it adds, what it assumes.

A part adds families of columns and rows to the model (`model.py`), each in one piece: sums are gathered with arrays (`terms.py`)
whose axes are those indices, `x.at(f, t, w)` being the columns of x there. `orepact.pyomo_model` gives it all as Pyomo.
"""
