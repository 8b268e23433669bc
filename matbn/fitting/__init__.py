"""From a design to a fit.

Read `estimate`, which chooses a penalty and searches. `refit` fits other rows or weights, from where a fit has ended.
"""
