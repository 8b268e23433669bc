"""Fits to parts of the data and to resampled data.

Read `splits` (which rows are left out together), `validate` (cross-validation), `choose` (sizes and penalties), then
`bootstrap`.
"""
