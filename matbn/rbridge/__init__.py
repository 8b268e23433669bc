"""Lets R call matbn: NumPy on R's own memory, and errors as R conditions.

The R package calls `session.setup()` once, when it first needs Python; `session.embed()` serves a Python session that
has R inside. Nothing else in matbn imports this package, or rpy2. `functions` lists what R may call, `fits` what of it
concerns fits, which `models` takes over from R and gives back; `convert` makes R objects of Python's and back;
`closures` and `interrupts` keep errors and Ctrl-C out of R's C code.
"""
