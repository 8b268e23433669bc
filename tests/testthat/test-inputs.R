test_that("data frames, integers and logicals are taken as numbers", {
  needs_python()
  d <- draw_net()
  expected <- do.call(net_loss, d)
  with_X <- function(X) do.call(net_loss, c(list(X), d[-1]))
  expect_identical(with_X(as.data.frame(d$X)), expected)
  whole <- round(d$X)
  integers <- whole
  storage.mode(integers) <- "integer"
  expect_identical(with_X(integers), with_X(whole))
  expect_identical(vec(matrix(c(TRUE, FALSE), 1)), c(1, 0))
  frame <- data.frame(a = d$X[, 1], b = d$X[, 2], c = d$X[, 3], d = 1:12)
  expect_equal(rownames(do.call(net_gradient, c(list(frame), d[-1]))$Gamma1), letters[1:4])
})

test_that("what is no number is refused with what to do", {
  needs_python()
  d <- draw_net()
  with_X <- function(X) do.call(net_loss, c(list(X), d[-1]))
  expect_error(with_X(iris[1:12, ]), "no numbers \\(Species\\).*model.matrix", class = "matbn_ElementTypeError")
  expect_error(vec(factor("a")), "A is a factor", class = "matbn_ElementTypeError")
  expect_error(vec(matrix("a")), "A is of class character", class = "matbn_ElementTypeError")
  expect_error(vec(Sys.Date()), "A is of class Date", class = "matbn_ElementTypeError")
  expect_error(vec(NULL), "A is NULL", class = "matbn_ElementTypeError")
  expect_error(vec(list(1)), "A is of class list", class = "matbn_ElementTypeError")
  expect_error(do.call(net_loss, c(d, list(ddof = "1"))), "ddof must be one number", class = "matbn_ElementTypeError")
  expect_error(do.call(net_loss, c(d, list(activation = NA_character_))), "one string", class = "matbn_ElementTypeError")
})

test_that("NA is named wherever it comes from, counted from 1", {
  needs_python()
  for (na in list(NA_real_, NA_integer_, NA, NaN, Inf)) {
    A <- matrix(c(1:5, na), 2)
    expect_error(vec(A), "A has 1 entries that are missing (NaN) or infinite, at (2, 3) (counted from 1)", fixed = TRUE)
  }
  d <- draw_net()
  d$y[3] <- NA
  expect_error(do.call(net_loss, d), "y has 1 entries.* at 3 \\(counted from 1\\)", class = "matbn_NotFiniteError")
  Z <- cbind(rnorm(5), 1, rnorm(5))
  expect_error(bn_forward(Z, 1:3, 1:3), "zero variance in nodes 2 \\(counted from 1\\)", class = "matbn_VarianceError")
})

test_that("empty and one-element things keep their shape", {
  needs_python()
  expect_identical(vec(matrix(0, 0, 3)), numeric())
  expect_identical(dim(unvec(numeric(), 0, 3)), c(0L, 3L))
  expect_identical(vec(matrix(5)), 5)
  one <- net_gradient(matrix(c(1, 2, 4)), 1:3, matrix(2), 1, 0, 1, "tanh")
  expect_identical(dim(one$Gamma1), c(1L, 1L))
  expect_length(one$gamma, 1)
})
