"""What came out of a search.

Read `fitted_model` (a fit as data) and `units`, which makes one from a solution. `prediction` predicts new rows,
`unseen_groups` estimates the effects of groups that only they have. `messages` and `interrupted` tell users what they
should know about a fit, and `report` prints it.
"""
