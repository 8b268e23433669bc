"""The forum question: its data and figures reproduced, and every claimed formula judged.

Read `checks` (the numeric checks), which takes `data`, drawn as R draws it (`r_random`), the formulas as `posted` and
the figures as `printed`. `claims` has a file for each source. `r_side` runs the same in R; `report` and `markdown`
write it down.
"""
