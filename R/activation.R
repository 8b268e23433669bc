# The activations, which predictions compute without Python. Help pages take their names from here.

activations <- list(
  relu = function(b) pmax(b, 0),
  leaky_relu = function(b) ifelse(b > 0, b, 0.01 * b),
  tanh = tanh,
  logistic = stats::plogis,
  softplus = function(b) pmax(b, 0) + log1p(exp(-abs(b))),
  gelu = function(b) b * stats::pnorm(b),
  sine = sin,
  identity = identity
)

# The activations that nnet's logistic units can express, and by what these multiply their inputs to do so.
nnet_factors <- c(logistic = 1, tanh = 2, identity = 1)

quoted <- function(names) paste0('"', names, '"', collapse = ", ")
