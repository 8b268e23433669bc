"""What users hold.

Read `fit` (the class `Fit`, with a method for each question) and `api` (the function `fit`).
"""
