"""What the user wrote, read and checked.

Read `formula` (a formula taken apart), `frame` (its parts on a data frame), `new_data` (the same again) and `design`
(arrays checked against each other: what all that follows starts from). `formulaic_package` is the library that makes
matrices; `columns` reads a data frame's columns, `caller` what a formula takes from its caller; `terms`, `syntax` and
`vocabulary` say what a saved formula may hold.
"""
