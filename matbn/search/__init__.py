"""How a minimum is found.

Read `minimum` (where a search ended: what all solvers return) and `multistart` (searches from the values of `starts`,
many rows first in part, `growing_samples`). The solvers are `bfgs`, `lbfgs`, `levenberg_marquardt`, `joint` and `adam`;
`kinks` goes on to minima of rectifiers. `progress` shows how far all of that is.
"""
