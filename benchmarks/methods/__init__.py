"""Ways to answer the same question, each run in a process of its own: `python -m methods.NAME JOB` in benchmarks/."""
