# The question's numeric checks in plain R, without any package.
#
#   Rscript r_scripts/forum_checks.R [--seed 1] [--N 10] [--p1 7] [--p2 4]
#
# Nodes are columns. The conventions are the posted code's: standard deviation with N - 1, no
# epsilon, no 1/N, and a rectifier's derivative that is 1 everywhere. The same figures, under the
# same names, come from matbn/forum/posted.py. Some of the formulas are wrong: see docs/answer.md.

draw_data <- function(seed = 1, N = 10, p1 = 7, p2 = 4) {
  if (p1 < p2) stop("the loop over nodes takes column i of X for node i, so it needs p1 >= p2")
  set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion")
  Gamma1 <- matrix(rnorm(p1 * p2), p1, p2)
  Gamma2 <- rnorm(p2)
  gamma <- seq_len(p2) + 1
  u <- rnorm(N)
  X <- matrix(round(runif(N * p1, -5, 5)), N, p1)
  list(X = X, u = u, Gamma1 = Gamma1, gamma = gamma, beta = -gamma, Gamma2 = Gamma2)
}

sd_by_column <- function(Z) apply(Z, 2, sd)

across_rows <- function(v, N) matrix(v, N, length(v), byrow = TRUE)

batch_norm <- function(Z, gamma, beta) {
  scale(Z) * across_rows(gamma, nrow(Z)) + across_rows(beta, nrow(Z))
}

# First the negative entries become 0, then all entries >= 0 become 1: in the end every entry is 1.
rectifier_slope_as_posted <- function(B) {
  B[B < 0] <- 0
  B[B >= 0] <- 1
  B
}

stub <- function(d) {
  B <- batch_norm(d$X %*% d$Gamma1, d$gamma, d$beta)
  -2 * tcrossprod(d$u, d$Gamma2) * rectifier_slope_as_posted(B)
}

beta_matrix <- function(d) colSums(stub(d))

beta_loop <- function(d) {
  node <- function(i) {
    Z <- tcrossprod(d$X[, i], d$Gamma1[i, ])
    B <- batch_norm(Z, d$gamma, d$beta)
    sum(-2 * d$u * d$Gamma2[i] * rectifier_slope_as_posted(B[, i]))
  }
  vapply(seq_along(d$Gamma2), node, numeric(1))
}

# (I_nq x T_mp)(I_n x vec(B) x I_m) for A = beta, 1 x p2, and B = 1_N. As m is 1, T_mp is I_N (a row
# and its transpose have the same vec), and the first factor is the identity.
kronecker_rule <- function(d) {
  m <- 1
  n <- length(d$beta)
  p <- nrow(d$X)
  q <- 1
  diag(n) %x% matrix(1, p * q, 1) %x% diag(m)
}

Gamma1_matrix <- function(d) {
  w <- across_rows(d$gamma * sd_by_column(d$X %*% d$Gamma1), nrow(d$X))
  crossprod(d$X, stub(d) * w)
}

Gamma1_loop <- function(d) {
  s <- stub(d)
  sigma <- sd_by_column(d$X %*% d$Gamma1)
  entry <- function(i, j) {
    w_j <- rep(d$gamma[j] * sigma[j], nrow(d$X))
    sum(d$X[, i] * w_j * s[, j]) # X_i' diag(w_j) stub_j
  }
  outer(seq_len(ncol(d$X)), seq_along(d$gamma), Vectorize(entry))
}

gamma_matrix <- function(d) {
  crossprod(scale(d$X %*% d$Gamma1), stub(d) * across_rows(d$gamma, nrow(d$X)))
}

gamma_loop <- function(d) {
  s <- stub(d)
  scaled <- scale(d$X %*% d$Gamma1)
  vapply(seq_along(d$gamma), function(j) sum(scaled[, j] * s[, j] * d$gamma[j]), numeric(1))
}

forum_checks <- function(seed = 1, N = 10, p1 = 7, p2 = 4) {
  d <- draw_data(seed, N, p1, p2)
  list(
    beta_matrix = beta_matrix(d),
    beta_loop = beta_loop(d),
    kronecker_rule = kronecker_rule(d),
    Gamma1_matrix = Gamma1_matrix(d),
    Gamma1_loop = Gamma1_loop(d),
    gamma_matrix = gamma_matrix(d),
    gamma_loop = gamma_loop(d)
  )
}

main <- function(arguments) {
  sizes <- list(seed = 1, N = 10, p1 = 7, p2 = 4)
  usage <- "usage: Rscript forum_checks.R [--seed 1] [--N 10] [--p1 7] [--p2 4]"
  if (length(arguments) %% 2 == 1) stop(usage, call. = FALSE)
  for (k in seq_len(length(arguments) / 2)) {
    name <- sub("^--", "", arguments[2 * k - 1])
    value <- suppressWarnings(as.integer(arguments[2 * k]))
    if (!name %in% names(sizes) || is.na(value)) stop(usage, call. = FALSE)
    sizes[[name]] <- value
  }
  checks <- do.call(forum_checks, sizes)
  for (name in names(checks)) {
    cat("\n", name, "\n", sep = "")
    print(checks[[name]])
  }
}

if (sys.nframe() == 0L) main(commandArgs(trailingOnly = TRUE))
