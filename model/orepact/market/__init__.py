"""What others do: prices, demand, owners' offers. Numpy in, numpy out; nothing here knows Pyomo."""
