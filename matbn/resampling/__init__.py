"""Fits to parts of the data and to resampled data: cross-validation, choice of sizes and penalties, bootstrap."""
