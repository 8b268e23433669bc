"""Fitting nets by least squares: see `problem` for what is minimised, and each file for its one job."""
