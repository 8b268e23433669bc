"""How a minimum is found.

Read `minimum` (how to search, and where a search ended: what all solvers take and return), `multistart` (searches from
the values of `starts`) and `profiled`, the default solver: `bfgs`, or `lbfgs` for many parameters, many rows first in
part (`growing_samples`). The other solvers are `levenberg_marquardt`, `joint` and `adam`; `kinks` goes on to minima of
rectifiers. `progress` shows how far all of that is.
"""
