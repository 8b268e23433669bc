"""Fits to parts of the data and to resampled data.

Read `splits` (who is left out together), `validate` (cross-validation), `choose` (sizes and penalties) and `bootstrap`.
"""
