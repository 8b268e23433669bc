"""Standard errors and what rests on them: a fit is, to first order, a linear regression on its own derivatives.

Read `identified` (which parameters there are), `linearisation` (that regression) and `covariance` (the equations of the
errors). `estimates` is what all answers have in common; `tables`, `wald`, `predictions` (for users, `intervals`),
`marginal_effects` and `partial_dependence` compute them; `request` and `variables` read what users ask for. `summary`,
`tidy` and `anova` put it together.
"""
