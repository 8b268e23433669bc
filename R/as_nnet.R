# A fit as an object of package nnet: batch norm is folded into the weights of one hidden layer; the linear part and the
# fixed effects become skip-layer connections.

#' A fit in the form of package nnet
#'
#' Folds a fit into an object of R's package nnet, from which `predict` gives the same predictions. Batch norm goes into
#' the weights; several nets become one hidden layer, with weights of 0 from other nets' inputs; the linear part and the
#' fixed effects become skip-layer connections. nnet's hidden units are logistic, which also express tanh exactly, as
#' \eqn{tanh(b) = 2 logistic(2b) - 1}; identity needs no hidden units. Other activations cannot be expressed.
#'
#' For a fit of a formula, `predict(as_nnet(fit), newdata)` takes a data frame, and fixed effects are factors. For a fit of
#' matrices it takes one matrix: the inputs of all nets side by side, then the columns of the linear part.
#'
#' nnet's own code takes logistic(b) to be 0 below b = -15 and 1 above 15. A node that is saturated that far (beyond 7.5 for
#' tanh) differs there by up to 3.1e-7 times its output weight (6.2e-7 for tanh); a warning says where the fit's own rows
#' have such nodes. Folding subtracts the inputs' means, which costs digits where these are many times the spread.
#'
#' @param fit a fit by [matbn()], without an offset, and of one of the activations `r quoted(names(nnet_factors))`.
#' @return An object of class `nnet`, for a fit of a formula also `nnet.formula`. It may be saved, and needs no Python.
#' @examples
#' fit <- matbn(mpg ~ factor(cyl) + net(wt, hp, size = 2), mtcars, penalty = 1e-2)
#' net <- as_nnet(fit)
#' all.equal(c(predict(net, mtcars)), unname(predict(fit, mtcars)))
#' summary(net)
#' @export
as_nnet <- function(fit) {
  call <- match.call()
  with_call(call, {
    check_for_nnet(fit)
    saturated(fit, call)
    object <- nnet_object(fit, if (is.null(fit$formula)) matrix_columns(fit) else formula_columns(fit))
    object$call <- call
    object
  })
}

check_for_nnet <- function(fit) {
  if (!inherits(fit, "matbn")) refuse(paste0("fit must be a fit by matbn(), but is of class ", class(fit)[1L]), "ArgumentError")
  if (length(fit$nets) && !fit$activation %in% names(nnet_factors)) {
    refuse(
      paste0("nnet cannot express the activation '", fit$activation, "', but only ", quoted(names(nnet_factors))),
      "ArgumentError"
    )
  }
  if (length(fit$offset)) refuse("nnet's predictions have no offset; fit the outcome less the offset instead", "ArgumentError")
  if (!requireNamespace("nnet", quietly = TRUE)) {
    refuse("package nnet is not installed: install.packages(\"nnet\")", "InstallationError")
  }
}

# Warn of saturated nodes: nnet cuts its logistic function off at 15 on either side.
saturated <- function(fit, call) {
  if (fit$activation == "identity") return(invisible())
  factor <- nnet_factors[[fit$activation]]
  for (net in fit$nets) {
    nodes <- which(factor * net$reach > 15)
    if (!length(nodes)) next
    most <- sum(abs(net$Gamma2[nodes])) * factor * stats::plogis(-15)
    warned(
      paste0(
        net$label, ": nnet rounds saturated nodes (", listed(nodes), ") to their limits, so that its predictions differ by up to ",
        format(most, digits = 2L), " where they are"
      ),
      "matbn_PrecisionWarning", call
    )
  }
}

# The object of class nnet. `columns` says at which of p inputs the columns of each net, the linear part and the fixed
# effects stand.
nnet_object <- function(fit, columns) {
  p <- length(columns$names)
  hidden <- hidden_layer(fit, columns, p)
  skip <- linear_layer(fit, columns, p)
  bias <- skip$bias + hidden$bias
  h <- ncol(hidden$weights)
  inputs <- seq_len(p)
  nodes <- p + seq_len(h)
  y <- fit$fitted.values + fit$residuals
  column <- function(values) matrix(values, dimnames = list(names(values), NULL))
  object <- list(
    n = c(p, h, 1), nunits = p + h + 2L, nconn = c(rep(0, p + 2L), (p + 1) * seq_len(h), (p + 1) * h + 1 + h + p),
    conn = c(rep(c(0, inputs), h), 0, nodes, inputs), nsunits = p + h + 1, decay = 0, entropy = FALSE, softmax = FALSE,
    censored = FALSE, value = fit$residual.norm^2,
    wts = c(rbind(hidden$beta, hidden$weights), bias, hidden$output, skip$weights + hidden$skip),
    convergence = if (fit$converged) 0L else 1L,
    fitted.values = column(fit$fitted.values), residuals = column(y - fit$fitted.values), na.action = fit$na.action,
    call = NULL
  )
  structure(c(object, columns$formula), class = c(if (length(columns$formula)) "nnet.formula", "nnet"))
}

# The nets as one layer of h hidden units: weights (p × h), biases and output weights, and what goes past the units.
hidden_layer <- function(fit, columns, p) {
  layer <- list(weights = matrix(0, p, 0L), beta = numeric(), output = numeric(), skip = numeric(p), bias = 0)
  for (k in seq_along(fit$nets)) {
    net <- fit$nets[[k]]
    A <- sweep(net$Gamma1, 2L, net$gamma, "*")
    c <- net$beta - drop(net$mean %*% A)
    at <- columns$nets[[k]]
    if (fit$activation == "identity") {
      layer$skip[at] <- layer$skip[at] + drop(A %*% net$Gamma2)
      layer$bias <- layer$bias + sum(c * net$Gamma2)
      next
    }
    factor <- nnet_factors[[fit$activation]]
    weights <- matrix(0, p, ncol(A))
    weights[at, ] <- factor * A
    layer$weights <- cbind(layer$weights, weights)
    layer$beta <- c(layer$beta, factor * c)
    layer$output <- c(layer$output, factor * net$Gamma2)
    if (factor == 2) layer$bias <- layer$bias - sum(net$Gamma2)
  }
  layer
}

linear_layer <- function(fit, columns, p) {
  b <- unname(fit$coefficients)
  b[is.na(b)] <- 0
  weights <- numeric(p)
  bias <- 0
  if (fit$intercept) {
    bias <- b[1L]
    b <- b[-1L]
  }
  weights[columns$linear] <- b
  for (name in names(fit$effects)) {
    estimates <- unname(fit$effects[[name]])
    if (length(estimates) == 1L) bias <- bias + estimates else weights[columns$effects[[name]]] <- estimates
  }
  list(weights = weights, bias = bias)
}

matrix_columns <- function(fit) {
  if (length(fit$effects)) {
    refuse("a matrix holds no groups: for nnet, fit the effects by a formula, as in y ~ net(z, size = 4) | id", "ArgumentError")
  }
  inputs <- lapply(fit$nets, function(net) rownames(net$Gamma1))
  p <- lengths(inputs)
  before <- cumsum(p) - p
  linear <- linear_names(fit)
  list(
    names = c(unlist(inputs), linear), nets = Map(function(b, n) b + seq_len(n), before, p),
    linear = sum(p) + seq_along(linear), formula = NULL
  )
}
