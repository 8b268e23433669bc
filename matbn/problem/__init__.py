"""What is solved: a design as a least-squares problem, its loss and its derivatives.

Read `least_squares` (what is minimised) and `posing`, which makes it of a design: outcomes at a size near 1
(`scaling`), rows and inputs in an order of their contents (`data_order`), each row once (`distinct_rows`), `whitening`
of inputs, `fixed_effects`, `linear_part`. Then `sweeps` through the rows, the loss by `profile`, the fitted values'
`jacobian`. `coordinates` takes θ from one problem to another, `cautions` says what is doubtful about the data, and
`compensated` has sums beyond the working precision.
"""
