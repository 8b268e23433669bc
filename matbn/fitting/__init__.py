"""From a design to a fit.

Read `estimate`: it chooses a penalty, searches, and makes a fit of the solution. `refit` fits the same model to other
rows or weights, starting where a fit has ended.
"""
