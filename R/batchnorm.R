#' Batch normalisation of a layer
#'
#' `bn_forward` normalises each node of Z over the samples, then scales by gamma and shifts by beta:
#' \eqn{Y = H diag(\gamma) + 1 \beta^T} with \eqn{H = (Z - 1 \mu^T) diag(1/s)} and
#' \eqn{s_j = \sqrt{\|Z_j - \mu_j\|^2/(N - ddof) + eps}}. With `ddof = 1`, `eps = 0`, H is `scale(Z)`.
#' `bn_backward` is its adjoint, through the mean and the variance, and `bn_jacobian` the N × N Jacobian of one node,
#' \eqn{\gamma/s (C - h h^T/(N - ddof))}.
#'
#' @param Z a matrix, N samples × p nodes (p × N with `layout = "columns"`).
#' @param gamma,beta p scales and p shifts; one scale in `bn_jacobian`.
#' @param ddof,eps the variance is divided by N - ddof, and eps is added to it.
#' @param layout where the samples are: "rows" or "columns".
#' @param dY the derivative of a loss by Y, a matrix like Y.
#' @param cache what `bn_forward` returns as `cache`; a plain list, which can be saved.
#' @param z N values of one node.
#' @return `bn_forward`: a list of Y, with Z's dimnames, and cache. `bn_backward`: a list of the derivatives by Z,
#'   gamma and beta. `bn_jacobian`: an N × N matrix.
#' @examples
#' Z <- matrix(rnorm(30), 10)
#' layer <- bn_forward(Z, gamma = c(1, 2, 3), beta = c(0, 0, 1))
#' all.equal(layer$Y, t(t(scale(Z)) * 1:3 + c(0, 0, 1)), check.attributes = FALSE)
#' bn_backward(matrix(1:30, 10), layer$cache)$gamma
#' @export
bn_forward <- function(Z, gamma, beta, ddof = 1, eps = 0, layout = "rows") {
  gamma <- numbers(gamma, "gamma")
  ddof <- number(ddof, "ddof")
  out <- bridge_call(
    "bn_forward", numbers(Z, "Z"), gamma, numbers(beta, "beta"), ddof, number(eps, "eps"),
    text(layout, "layout")
  )
  names <- dimnames(Z)
  if (!is.null(names)) dimnames(out$Y) <- names
  cache <- list(H = out$H, s = out$s, d = nrow(out$H) - ddof, gamma = gamma, layout = layout, names = names)
  class(cache) <- "matbn_cache"
  list(Y = out$Y, cache = cache)
}

#' @rdname bn_forward
#' @export
bn_backward <- function(dY, cache) {
  if (!inherits(cache, "matbn_cache")) {
    refuse("cache must be what bn_forward() returned as cache", "ElementTypeError", call = sys.call())
  }
  out <- bridge_call(
    "bn_backward", numbers(dY, "dY"), cache$H, cache$s, cache$d, cache$gamma, cache$layout
  )
  if (!is.null(cache$names)) dimnames(out$Z) <- cache$names
  nodes <- cache$names[[if (cache$layout == "rows") 2L else 1L]]
  names(out$gamma) <- names(out$beta) <- nodes
  out
}

#' @rdname bn_forward
#' @export
bn_jacobian <- function(z, gamma = 1, ddof = 1, eps = 0) {
  bridge_call("bn_jacobian", numbers(z, "z"), number(gamma, "gamma"), number(ddof, "ddof"), number(eps, "eps"))
}

#' @export
print.matbn_cache <- function(x, ...) {
  nothing_more("print() of a cache", ..., .let = of_print)
  cat("cache of bn_forward:", nrow(x$H), "samples of", ncol(x$H), "nodes, for bn_backward\n")
  invisible(x)
}
