"""A design to a fit.

Read `estimate`: penalty, searches, solution. `refit` fits other rows or weights from where a fit has ended.
"""
