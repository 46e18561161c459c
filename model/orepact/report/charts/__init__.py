"""Charts as plain descriptions (plotly's data and layout), drawn from tables alone: one module per group."""
