"""How a penalty is chosen if the user gives none.

Read `penalty_by_folds` (cross-validation, the default) and `penalty_by_gcv`, which rests on `effective_degrees`.
"""
