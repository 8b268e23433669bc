"""How a minimum is found.

Read `minimum` (what all solvers take and return), `multistart` (searches from the values of `starts`) and `profiled`,
the default solver: `bfgs`, or `lbfgs` for many parameters; with many rows it begins on samples (`growing_samples`).
The other solvers are `levenberg_marquardt`, `joint` and `adam`; with rectifiers, `kinks` goes on to a minimum at kinks.
`progress` reports how far the searches are.
"""
