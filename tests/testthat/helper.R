# Tests that compute need Python with NumPy, SciPy and rpy2. Where it is absent they are skipped, but never in CI.
python_is_there <- function() {
  tryCatch(
    {
      vec(matrix(1))
      TRUE
    },
    matbn_PythonError = function(e) FALSE
  )
}

needs_python <- function() {
  if (!nzchar(Sys.getenv("CI"))) skip_if_not(python_is_there(), "no Python for matbn")
}

draw_net <- function(N = 12, p1 = 4, p2 = 3, seed = 1) {
  set.seed(seed)
  list(
    X = matrix(rnorm(N * p1, 1, 2), N, dimnames = list(NULL, letters[seq_len(p1)])), y = rnorm(N),
    Gamma1 = matrix(rnorm(p1 * p2), p1), gamma = rnorm(p2), beta = rnorm(p2), Gamma2 = rnorm(p2)
  )
}

# The net in plain R, by its definition.
plain_loss <- function(X, y, Gamma1, gamma, beta, Gamma2, a = tanh, ddof = 1, eps = 0) {
  Z <- X %*% Gamma1
  centred <- sweep(Z, 2, colMeans(Z))
  s <- sqrt(colSums(centred^2) / (nrow(X) - ddof) + eps)
  B <- sweep(sweep(centred, 2, gamma / s, "*"), 2, beta, "+")
  mean((y - a(B) %*% Gamma2)^2)
}

# Runs lines in an R session of their own and returns what it prints.
in_new_session <- function(lines, environment = character()) {
  script <- tempfile(fileext = ".R")
  on.exit(unlink(script))
  paths <- paste0(".libPaths(", paste(deparse(.libPaths()), collapse = ""), ")")
  writeLines(c(paths, lines), script)
  rscript <- file.path(R.home("bin"), "Rscript")
  suppressWarnings(system2(rscript, c("--vanilla", script), stdout = TRUE, stderr = TRUE, env = environment))
}
