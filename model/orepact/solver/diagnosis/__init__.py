"""Why there is no plan, and what would give one: in the user's own tables, rows and figures.

rules      every input that could be meant: how it is dropped altogether, and by which steps it can be eased
           (`rule` says what one is; `world_rules` how the world is, `policy_rules` what the alliance decides)
oracle     is there a plan with these changes? solved for real, on the planner or on price paths
conflict   the smallest set of rules that can't all hold
repairs    the least change of each that gives a plan, verified by solving again, ranked
diagnose   all of it in order, against a clock
diagnosis  the answer as a plain value
"""
