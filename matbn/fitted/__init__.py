"""What came out of a search.

Read `fitted_model` (a fit as data) and `units`, which makes it of a solution. `prediction` applies it to new rows,
`unseen_groups` where their groups are new; `messages` and `interrupted` say what users should know, `report` prints.
"""
