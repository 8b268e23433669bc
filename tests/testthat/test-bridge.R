test_that("errors are conditions with a class for the kind and the caller's call", {
  needs_python()
  condition <- tryCatch(vec(1:3), matbn_error = identity)
  expect_s3_class(condition, c("matbn_ShapeError", "matbn_ArgumentError", "matbn_error", "error", "condition"), exact = TRUE)
  expect_identical(conditionCall(condition), quote(vec(1:3)))
  expect_error(net_loss(matrix(1:4, 2), 1:2, matrix(1, 2, 1), 1, 0, 1, activation = "größe"), "größe", fixed = TRUE)
})

test_that("nothing that Python reads is changed, and it outlives R's garbage collection", {
  needs_python()
  X <- matrix(rnorm(5000), 500)
  copy <- X + 0
  gctorture2(step = 20)
  out <- bn_forward(X, rep(1, 10), rep(0, 10))
  gctorture(FALSE)
  expect_identical(X, copy)
  expect_equal(out$Y, scale(X), ignore_attr = TRUE)
  gctorture2(step = 5)
  small <- net_gradient(X[1:20, 1:3], X[1:20, 4], X[1:3, 1:2], c(1, 1), c(0, 0), c(1, 2))
  gctorture(FALSE)
  expect_true(all(is.finite(unlist(small))))
})

test_that("many calls and many errors do not let memory grow", {
  needs_python()
  skip_if_not(file.exists("/proc/self/status"))
  resident <- function() {
    gc()
    as.numeric(gsub("\\D", "", grep("VmRSS", readLines("/proc/self/status"), value = TRUE))) / 1024
  }
  A <- matrix(rnorm(70), 10)
  calls <- function(n) for (i in seq_len(n)) vec(A)
  failures <- function(n) for (i in seq_len(n)) tryCatch(vec(1:3), matbn_error = identity)
  calls(5000)
  failures(1000)
  before <- resident()
  calls(100000)
  failures(5000)
  expect_lt(resident() - before, 30) # one matrix kept a call would make 64
})

test_that("a large input is not copied", {
  needs_python()
  skip_if_not(file.exists("/proc/self/clear_refs"))
  shown <- in_new_session(c(
    "library(matbn)",
    "peak <- function() as.numeric(gsub('\\\\D', '', grep('VmHWM', readLines('/proc/self/status'), value = TRUE))) / 1024",
    "X <- matrix(runif(1e7), 1e6); y <- runif(1e6); invisible(vec(matrix(1)))",
    "Gamma1 <- matrix(0.1, 10, 1); invisible(net_loss(X[1:10, ], y[1:10], Gamma1, NULL, NULL, 1))",
    "invisible(gc()); writeLines('5', '/proc/self/clear_refs'); before <- peak() # the peak so far is forgotten",
    "loss <- net_loss(X, y, Gamma1, NULL, NULL, 1); cat('grew', peak() - before, '\\n')"
  ))
  grew <- as.numeric(sub("grew ", "", grep("grew", shown, value = TRUE)))
  expect_lt(grew, 60) # X itself has 76 MB; the fitted values and what leads to them have 8 MB each
})

test_that("loading starts no Python, and a session without Python says what to do", {
  quiet <- in_new_session(c("library(matbn)", "print(matbn_config())", "cat(reticulate::py_available(), '\\n')"))
  expect_match(paste(quiet, collapse = "\n"), "not started yet")
  expect_match(tail(quiet, 1), "FALSE")
  none <- in_new_session(
    c("library(matbn)", "tryCatch(vec(matrix(1)), matbn_error = function(e) cat(class(e)[1], conditionMessage(e)))"),
    environment = "RETICULATE_PYTHON=/nonexistent/python"
  )
  expect_match(paste(none, collapse = "\n"), "matbn_PythonError matbn cannot start Python.*matbn_install\\(\\)")
})

test_that("forked children compute", {
  needs_python()
  skip_on_os("windows")
  A <- matrix(rnorm(6), 2)
  invisible(vec(A))
  results <- parallel::mclapply(1:4, function(i) vec(A * i), mc.cores = 2)
  expect_equal(results, lapply(1:4, function(i) as.vector(A * i)))
})

test_that("an interrupt in Python is an interrupt in R", {
  needs_python()
  skip_on_os("windows")
  shown <- in_new_session(c(
    "library(matbn); set.seed(1); N <- 20000",
    "X <- matrix(rnorm(N * 20), N); y <- rnorm(N); Gamma1 <- matrix(rnorm(200), 20)",
    "invisible(vec(matrix(1)))",
    "system(paste('(sleep 1; kill -INT', Sys.getpid(), ') &'))",
    "r <- tryCatch(net_gradient(X, y, Gamma1, rep(1, 10), rep(0, 10), rep(1, 10), route = 'loop'), interrupt = function(e) 'interrupted')",
    "print(r); print(vec(matrix(7)))",
    "system(paste('(sleep 1; kill -INT', Sys.getpid(), ') &'))",
    "print(tryCatch({while (TRUE) sqrt(2)}, interrupt = function(e) 'R loop interrupted'))"
  ))
  expect_true(any(grepl('"interrupted"', shown)))
  expect_true(any(grepl("[1] 7", shown, fixed = TRUE)))
  expect_true(any(grepl("R loop interrupted", shown)))
})
