# The exact gradient of the forum's net (10 inputs, 4 nodes, tanh) from R: the posted style (Kronecker products
# with %x%, apply, sd), plain vectorised R, and matbn; and the cost of one small call.
#
#   Rscript benchmarks/from_r.R
#
# Results are compared first; then all three take turns in one run, and the times are medians.

library(matbn)

posted_style <- function(X, y, Gamma1, gamma, beta, Gamma2) {
  N <- nrow(X)
  ones <- matrix(1, N, 1)
  Z <- X %*% Gamma1
  mu <- t(apply(Z, 2, mean)) %x% ones
  sigma <- t(apply(Z, 2, sd)) %x% ones
  H <- (Z - mu) / sigma
  B <- (t(gamma) %x% ones) * H + t(beta) %x% ones
  e <- y - tanh(B) %*% Gamma2
  W <- (1 - tanh(B)^2) * (-2 / N * e %*% t(Gamma2))
  g <- apply(H * W, 2, sum)
  by_Z <- (W - t(apply(W, 2, mean)) %x% ones - H * (t(g / (N - 1)) %x% ones)) * (t(gamma) %x% ones) / sigma
  list(Gamma1 = t(X) %*% by_Z, gamma = g, beta = apply(W, 2, sum), Gamma2 = drop(-2 / N * t(tanh(B)) %*% e))
}

vectorised <- function(X, y, Gamma1, gamma, beta, Gamma2) {
  N <- nrow(X)
  rows <- function(v) rep(v, each = N)
  Z <- X %*% Gamma1
  Z <- Z - rows(colMeans(Z))
  s <- sqrt(colSums(Z^2) / (N - 1))
  H <- Z / rows(s)
  V <- tanh(H * rows(gamma) + rows(beta))
  e <- drop(y - V %*% Gamma2)
  W <- tcrossprod(-2 / N * e, Gamma2) * (1 - V^2)
  g <- colSums(H * W)
  by_Z <- (W - rows(colMeans(W)) - H * rows(g / (N - 1))) * rows(gamma / s)
  list(Gamma1 = crossprod(X, by_Z), gamma = g, beta = colSums(W), Gamma2 = drop(-2 / N * crossprod(V, e)))
}

by_matbn <- function(X, y, Gamma1, gamma, beta, Gamma2) {
  net_gradient(X, y, Gamma1, gamma, beta, Gamma2, "tanh")[c("Gamma1", "gamma", "beta", "Gamma2")]
}

systems <- list(posted = posted_style, vectorised = vectorised, matbn = by_matbn)

seconds <- function(f, arguments, times) {
  system.time(for (i in seq_len(times)) do.call(f, arguments))[["elapsed"]] / times
}

set.seed(1)
cat(sprintf("%9s %14s %14s %14s %10s %10s\n", "N", "posted style", "vectorised R", "matbn", "posted/", "vector./"))
for (N in c(10, 1e3, 1e5, 1e6)) {
  arguments <- list(matrix(rnorm(N * 10), N), rnorm(N), matrix(rnorm(40), 10), 2:5 + 0, -(2:5) + 0, rnorm(4))
  answers <- lapply(systems, do.call, arguments)
  stopifnot(all.equal(answers$posted, answers$matbn, tolerance = 1e-8, check.attributes = FALSE))
  stopifnot(all.equal(answers$vectorised, answers$matbn, tolerance = 1e-8, check.attributes = FALSE))
  times <- max(1, round(2e5 / N))
  rounds <- replicate(7, vapply(systems, seconds, 1, arguments = arguments, times = times))
  ms <- apply(rounds, 1, median) * 1e3
  cat(sprintf(
    "%9d %11.3f ms %11.3f ms %11.3f ms %10.2f %10.2f\n", as.integer(N), ms[["posted"]], ms[["vectorised"]], ms[["matbn"]],
    ms[["posted"]] / ms[["matbn"]], ms[["vectorised"]] / ms[["matbn"]]
  ))
}

Z <- matrix(rnorm(70), 10)
one <- rep(1, 7)
calls <- list(vec = function() vec(Z), bn_forward = function() bn_forward(Z, one, one))
for (call in names(calls)) {
  microseconds <- median(replicate(9, seconds(calls[[call]], list(), 2000))) * 1e6
  cat(sprintf("a call of %s on 10 x 7: %.0f microseconds\n", call, microseconds))
}
