"""The verifier: a stored plan checked anew from its tables and the instance's (verify.py), and what that comes to (certificate.py).

Shares no code with market, formulation, solver or extraction. One check_*.py per family of rules; rules.py lists them all.
"""
