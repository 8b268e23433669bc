"""How a penalty is chosen where the user names none.

Read `penalty_by_folds` (cross-validation, the default) and `penalty_by_gcv`, which rests on `effective_degrees`.
"""
