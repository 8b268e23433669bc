"""Lets R call matbn: NumPy on R's own memory, and errors as R conditions.

`session.setup()` is what the R package calls, once, when it needs Python; `session.embed()` serves a Python
session that has R inside. Nothing else in matbn imports this package, or rpy2. `functions` lists what R may
call, `fits` what of it concerns fits; `convert` makes R objects of Python's and back, `closures` keeps errors and
`interrupts` out of R's C code.
"""
