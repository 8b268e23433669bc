# Compares each function of the R package with plain R code, at the forum's size and at random sizes, and with
# the packages numDeriv and matrixcalc.
#
#   Rscript r_scripts/compare.R [SEED]
#
# Prints the largest relative difference of each comparison and fails where one is too large: 1e-12 against
# the same formula in plain R, 1e-6 against numDeriv's differences.

library(matbn)

seed <- commandArgs(trailingOnly = TRUE)
set.seed(if (length(seed)) as.integer(seed[1]) else 1)

failed <- 0
compare <- function(what, found, expected, tolerance = 1e-12, size = max(abs(expected), .Machine$double.xmin)) {
  difference <- max(abs(found - expected)) / size
  verdict <- if (difference <= tolerance) "" else "  TOO LARGE"
  if (nzchar(verdict)) failed <<- failed + 1
  cat(sprintf("  %-52s %8.1e%s\n", what, difference, verdict))
}

# The net and its gradient in plain R, by the equations.
rows <- function(v, N) matrix(v, N, length(v), byrow = TRUE)

plain_net <- function(d, ddof, eps) {
  N <- nrow(d$X)
  Z <- d$X %*% d$Gamma1
  centred <- Z - rows(colMeans(Z), N)
  s <- sqrt(colSums(centred^2) / (N - ddof) + eps)
  H <- centred / rows(s, N)
  B <- H * rows(d$gamma, N) + rows(d$beta, N)
  e <- d$y - drop(tanh(B) %*% d$Gamma2)
  W <- -2 / N * tcrossprod(e, d$Gamma2) * (1 - tanh(B)^2)
  by_Z <- (W - rows(colMeans(W), N) - H * rows(colSums(H * W) / (N - ddof), N)) * rows(d$gamma / s, N)
  list(
    Z = Z, s = s, H = H, B = B, fitted = d$y - e, loss = mean(e^2), Gamma1 = crossprod(d$X, by_Z),
    gamma = colSums(H * W), beta = colSums(W), Gamma2 = -2 / N * drop(crossprod(tanh(B), e))
  )
}

one_size <- function(N, p1, p2, ddof, eps) {
  cat(sprintf("N = %d, p1 = %d, p2 = %d, ddof = %d, eps = %g\n", N, p1, p2, ddof, eps))
  d <- list(
    X = matrix(round(runif(N * p1, -5, 5)), N), y = rnorm(N), Gamma1 = matrix(rnorm(p1 * p2), p1),
    gamma = seq_len(p2) + 1, beta = -seq_len(p2) - 1, Gamma2 = rnorm(p2)
  )
  net <- d[c("X", "Gamma1", "gamma", "beta", "Gamma2")]
  options <- list(activation = "tanh", ddof = ddof, eps = eps)
  plain <- plain_net(d, ddof, eps)

  compare("vec, against as.vector", vec(d$X), as.vector(d$X))
  compare("commutation, against t", commutation(p1, p2) %*% vec(d$Gamma1), as.vector(t(d$Gamma1)))
  layer <- bn_forward(plain$Z, d$gamma, d$beta, ddof, eps)
  compare("bn_forward", layer$Y, plain$B)
  D <- matrix(rnorm(N * p2), N)
  adjoint <- vapply(seq_len(p2), function(j) drop(bn_jacobian(plain$Z[, j], d$gamma[j], ddof, eps) %*% D[, j]), numeric(N))
  compare("bn_backward, against the nodes' Jacobians", bn_backward(D, layer$cache)$Z, adjoint)
  forward <- do.call(net_forward, c(net, options))
  compare("net_forward", forward$fitted, plain$fitted)
  compare("net_loss", do.call(net_loss, c(d, options)), plain$loss)
  for (route in c("matrix", "loop", "kronecker", "frechet", "graph", "sums")) {
    gradient <- do.call(net_gradient, c(d, options, route = route))
    parts <- c("Gamma1", "gamma", "beta", "Gamma2")
    compare(paste("net_gradient,", route), unlist(gradient[parts]), unlist(plain[parts]))
  }
  J <- do.call(net_jacobian, c(net, options))
  compare("net_jacobian, by the gradient", -2 / N * drop(crossprod(J, d$y - plain$fitted)), unlist(plain[parts]))
  folded <- do.call(fold, c(net, options[-1]))
  compare("fold", net_forward(d$X, folded$Gamma1, NULL, folded$beta, folded$Gamma2, "tanh")$fitted, plain$fitted)

  if (min(p1, p2) > 1 && requireNamespace("matrixcalc", quietly = TRUE)) { # matrixcalc takes no vectors
    compare("commutation, against matrixcalc", commutation(p1, p2), matrixcalc::commutation.matrix(p1, p2))
  }
  if (requireNamespace("numDeriv", quietly = TRUE)) {
    for (part in parts) {
      loss <- function(value) {
        moved <- d
        moved[[part]][] <- value
        plain_net(moved, ddof, eps)$loss
      }
      # A part may be nearly 0, as Gamma1's is at p1 = 1, so errors are relative to the whole gradient.
      compare(
        paste("net_gradient by", part, "against numDeriv"), as.vector(gradient[[part]]), numDeriv::grad(loss, d[[part]]),
        tolerance = 1e-6, size = max(abs(unlist(plain[parts])))
      )
    }
    z <- plain$Z[, 1]
    node <- function(z) drop(scale(z, scale = FALSE)) / sqrt(sum((z - mean(z))^2) / (N - ddof) + eps)
    compare("bn_jacobian against numDeriv", bn_jacobian(z, 1, ddof, eps), numDeriv::jacobian(node, z), 1e-6)
  }
}

one_size(10, 7, 4, 1, 0)
one_size(10, 7, 4, 0, 1e-3)
for (trial in 1:3) {
  one_size(sample(5:40, 1), sample(1:6, 1), sample(1:5, 1), sample(0:1, 1), sample(c(0, 0.1), 1))
}
checks <- forum_checks()
agree <- all(vapply(checks, function(check) check$agrees, NA))
cat("forum_checks:", if (agree) "every printed digit, in Python and in R" else "DIFFER", "\n")
if (failed || !agree) stop(failed, " comparisons differ", call. = FALSE)
