"""Standard errors and what rests on them: a fit is, to first order, a linear regression on its own derivatives."""
