"""What came out of a search.

Read `fitted_model` (a fit as data) and `units`, which makes one from a solution. `prediction` predicts new rows, with
`unseen_groups` for new groups. `messages` and `interrupted` say what users should know; `report` prints a fit.
"""
