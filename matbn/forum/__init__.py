"""The forum question: its data and figures reproduced, and every claimed formula judged.

Read `checks` first: it compares what the `posted` code gives, in Python and in R (`r_side`), with the question's
`printed` figures, on `data` that are drawn as R draws them (`r_random`). `claims` has a file for each source of claimed
formulas. `report` and `markdown` write the results as text.
"""
