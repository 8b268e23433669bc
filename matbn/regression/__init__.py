"""What users hold.

Read `fit` (the class `Fit`, a method for each question) and `api` (the function `fit`).
"""
