"""Fits to parts of the data and to resampled data.

Read `splits` (which rows are left out), `validate` (cross-validation), `choose` (sizes, penalties) and `bootstrap`.
"""
