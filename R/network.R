#' A regression net of one hidden layer, with batch normalisation
#'
#' The net is \eqn{\hat y = a(b(X \Gamma_1)) \Gamma_2}, where b normalises each node over the samples, scales it by gamma
#' and shifts it by beta, and a is the activation; the loss is \eqn{R = \|y - \hat y\|^2 / N}. With
#' \eqn{W = -(2/N) (e \Gamma_2^T) \odot a'(B)} and H, s as in [bn_forward()], the gradient is
#'
#' \deqn{\partial R/\partial\beta = W^T 1, \quad \partial R/\partial\gamma = diag(H^T W),}
#' \deqn{\partial R/\partial\Gamma_1 = (CX)^T [C W - H diag(H^T W)/(N - ddof)] diag(\gamma/s),}
#'
#' exact for every ddof and eps. `gamma = NULL` is the plain net \eqn{a(X \Gamma_1 + 1 \beta^T) \Gamma_2}, and without
#' bias where beta is NULL too.
#'
#' @param X inputs, N × p1: a matrix, or a data frame of numbers.
#' @param y N outcomes.
#' @param Gamma1 first-layer weights, p1 × p2.
#' @param gamma,beta batch-norm scale and shift, p2 each.
#' @param Gamma2 output weights, p2.
#' @param activation one of `r quoted(names(activations))`.
#' @param ddof,eps the variance is divided by N - ddof, and eps is added to it. The defaults are those of [scale()];
#'   deep-learning frameworks have 0 and a small eps.
#' @param route "matrix" for use; "loop", "kronecker", "frechet", "graph" and "sums" are independent derivations of the
#'   same gradient.
#' @param direction a vector of p2(p1 + 3) numbers, ordered as \eqn{(vec \Gamma_1, \gamma, \beta, \Gamma_2)}.
#' @return
#' * `net_forward`: a list of fitted (N), V, B, H (N × p2) and s (p2).
#' * `net_loss`: R.
#' * `net_gradient`: a list of loss, Gamma1, gamma, beta and Gamma2, each the derivative by what it is named after.
#' * `net_jacobian`: the derivatives of the fitted values by all parameters, N × p2(p1 + 3), through mean and variance.
#' * `net_hessian_product`: the second derivatives of R along a direction.
#' * `fold`: a list of Gamma1, beta and Gamma2 of the plain net with the same fitted values.
#' @examples
#' set.seed(1)
#' X <- as.matrix(mtcars[c("wt", "hp", "qsec")])
#' net <- list(Gamma1 = matrix(rnorm(6), 3), gamma = c(1, 1), beta = c(0, 0), Gamma2 = c(1, -1))
#' gradient <- do.call(net_gradient, c(list(X, mtcars$mpg), net, activation = "tanh"))
#' gradient
#' by_loops <- do.call(net_gradient, c(list(X, mtcars$mpg), net, activation = "tanh", route = "loop"))
#' all.equal(gradient, by_loops)
#' @export
net_gradient <- function(X, y, Gamma1, gamma, beta, Gamma2, activation = "relu", ddof = 1, eps = 0, route = "matrix") {
  out <- bridge_call(
    "net_gradient", numbers(X, "X"), numbers(y, "y"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"),
    optional(beta, "beta"), numbers(Gamma2, "Gamma2"), text(activation, "activation"), number(ddof, "ddof"),
    number(eps, "eps"), text(route, "route")
  )
  nodes <- node_names(Gamma1)
  gradient <- list(
    loss = out$loss,
    Gamma1 = with_names(out$Gamma1, input_names(X, Gamma1), nodes),
    gamma = name(out$gamma, nodes),
    beta = name(out$beta, nodes),
    Gamma2 = name(out$Gamma2, nodes)
  )
  class(gradient) <- "net_gradient"
  gradient
}

#' @rdname net_gradient
#' @export
net_loss <- function(X, y, Gamma1, gamma, beta, Gamma2, activation = "relu", ddof = 1, eps = 0) {
  bridge_call(
    "net_loss", numbers(X, "X"), numbers(y, "y"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"),
    optional(beta, "beta"), numbers(Gamma2, "Gamma2"), text(activation, "activation"), number(ddof, "ddof"),
    number(eps, "eps")
  )
}

#' @rdname net_gradient
#' @export
net_forward <- function(X, Gamma1, gamma, beta, Gamma2, activation = "relu", ddof = 1, eps = 0) {
  out <- bridge_call(
    "net_forward", numbers(X, "X"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"), optional(beta, "beta"),
    numbers(Gamma2, "Gamma2"), text(activation, "activation"), number(ddof, "ddof"), number(eps, "eps")
  )
  samples <- dimnames(X)[[1L]]
  nodes <- node_names(Gamma1)
  out$fitted <- name(out$fitted, samples)
  for (layer in c("V", "B", "H")) {
    if (!is.null(out[[layer]])) out[[layer]] <- with_names(out[[layer]], samples, nodes)
  }
  out$s <- name(out$s, nodes)
  out
}

#' @rdname net_gradient
#' @export
net_jacobian <- function(X, Gamma1, gamma, beta, Gamma2, activation = "relu", ddof = 1, eps = 0) {
  out <- bridge_call(
    "net_jacobian", numbers(X, "X"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"), optional(beta, "beta"),
    numbers(Gamma2, "Gamma2"), text(activation, "activation"), number(ddof, "ddof"), number(eps, "eps")
  )
  dimnames(out) <- list(rownames(X), parameter_names(X, Gamma1, gamma, beta))
  out
}

#' @rdname net_gradient
#' @export
net_hessian_product <- function(X, y, Gamma1, gamma, beta, Gamma2, direction, activation = "relu", ddof = 1, eps = 0) {
  out <- bridge_call(
    "net_hessian_product", numbers(X, "X"), numbers(y, "y"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"),
    optional(beta, "beta"), numbers(Gamma2, "Gamma2"), numbers(direction, "direction"), text(activation, "activation"),
    number(ddof, "ddof"), number(eps, "eps")
  )
  name(out, parameter_names(X, Gamma1, gamma, beta))
}

#' @rdname net_gradient
#' @export
fold <- function(X, Gamma1, gamma, beta, Gamma2, ddof = 1, eps = 0) {
  out <- bridge_call(
    "fold", numbers(X, "X"), numbers(Gamma1, "Gamma1"), optional(gamma, "gamma"), optional(beta, "beta"),
    numbers(Gamma2, "Gamma2"), number(ddof, "ddof"), number(eps, "eps")
  )
  nodes <- node_names(Gamma1)
  list(
    Gamma1 = with_names(out$Gamma1, input_names(X, Gamma1), nodes),
    beta = name(out$beta, nodes),
    Gamma2 = name(out$Gamma2, nodes)
  )
}

#' @export
print.net_gradient <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a gradient", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  cat("loss ", format(x$loss, digits = digits), "\n", sep = "")
  for (parameter in c("Gamma1", "gamma", "beta", "Gamma2")) {
    if (!is.null(x[[parameter]])) {
      cat("\nderivative by ", parameter, "\n", sep = "")
      print(x[[parameter]], digits = digits)
    }
  }
  invisible(x)
}

# Names of theta = (vec Gamma1, gamma, beta, Gamma2): Gamma1[wt,1], gamma[1], ...
parameter_names <- function(X, Gamma1, gamma, beta) {
  Gamma1 <- as.matrix(Gamma1)
  inputs <- input_names(X, Gamma1)
  if (is.null(inputs)) inputs <- seq_len(nrow(Gamma1))
  nodes <- node_names(Gamma1)
  if (is.null(nodes)) nodes <- seq_len(ncol(Gamma1))
  c(
    outer(inputs, nodes, function(input, node) paste0("Gamma1[", input, ",", node, "]")),
    if (!is.null(gamma)) paste0("gamma[", nodes, "]"),
    if (!is.null(beta)) paste0("beta[", nodes, "]"),
    paste0("Gamma2[", nodes, "]")
  )
}

name <- function(x, names) {
  if (!is.null(x) && !is.null(names)) names(x) <- names
  x
}
