test_that("loss and gradient agree with plain R code", {
  needs_python()
  d <- draw_net()
  for (convention in list(c(1, 0), c(0, 0), c(0, 0.1))) {
    arguments <- c(d, list(activation = "tanh", ddof = convention[1], eps = convention[2]))
    plain <- c(d, list(ddof = convention[1], eps = convention[2]))
    expect_equal(do.call(net_loss, arguments), do.call(plain_loss, plain), tolerance = 1e-12)
    gradient <- do.call(net_gradient, arguments)
    expect_equal(gradient$loss, do.call(plain_loss, plain), tolerance = 1e-12)
    skip_if_not_installed("numDeriv")
    for (parameter in c("Gamma1", "gamma", "beta", "Gamma2")) {
      loss <- function(value) {
        moved <- plain
        moved[[parameter]][] <- value
        do.call(plain_loss, moved)
      }
      expect_equal(as.vector(gradient[[parameter]]), numDeriv::grad(loss, d[[parameter]]), tolerance = 1e-5)
    }
  }
})

test_that("every route gives the same", {
  needs_python()
  d <- draw_net()
  expected <- do.call(net_gradient, d)
  for (route in c("loop", "kronecker", "frechet", "graph", "sums")) {
    expect_equal(do.call(net_gradient, c(d, route = route)), expected, tolerance = 1e-12)
  }
})

test_that("results carry names and print well", {
  needs_python()
  d <- draw_net()
  colnames(d$Gamma1) <- c("up", "down", "flat")
  gradient <- do.call(net_gradient, d)
  expect_identical(dimnames(gradient$Gamma1), list(letters[1:4], c("up", "down", "flat")))
  expect_named(gradient$gamma, c("up", "down", "flat"))
  expect_output(print(gradient), "derivative by Gamma1\n.*up.*down")
  J <- do.call(net_jacobian, d[names(d) != "y"])
  expect_identical(colnames(J)[c(1, 5, 13, 16, 21)], c("Gamma1[a,up]", "Gamma1[a,down]", "gamma[up]", "beta[up]", "Gamma2[flat]"))
})

test_that("the Jacobian and the Hessian product are derivatives", {
  needs_python()
  skip_if_not_installed("numDeriv")
  d <- draw_net()
  split <- function(theta) {
    list(Gamma1 = matrix(theta[1:12], 4), gamma = theta[13:15], beta = theta[16:18], Gamma2 = theta[19:21])
  }
  theta <- unlist(d[c("Gamma1", "gamma", "beta", "Gamma2")], use.names = FALSE)
  fitted <- function(theta) do.call(net_forward, c(list(d$X), split(theta), activation = "sine"))$fitted
  J <- do.call(net_jacobian, c(list(d$X), split(theta), activation = "sine"))
  expect_equal(J, numDeriv::jacobian(fitted, theta), tolerance = 1e-7, ignore_attr = TRUE)
  gradient <- function(theta) unlist(do.call(net_gradient, c(list(d$X, d$y), split(theta), activation = "sine"))[-1])
  direction <- rnorm(21)
  product <- do.call(net_hessian_product, c(list(d$X, d$y), split(theta), list(direction = direction, activation = "sine")))
  expect_equal(product, drop(numDeriv::jacobian(gradient, theta) %*% direction), tolerance = 1e-6, ignore_attr = TRUE)
})

test_that("a plain net is gamma = NULL, and a net folds to one", {
  needs_python()
  d <- draw_net()
  folded <- do.call(fold, d[names(d) != "y"])
  expect_equal(
    net_forward(d$X, folded$Gamma1, NULL, folded$beta, folded$Gamma2)$fitted,
    do.call(net_forward, d[names(d) != "y"])$fitted
  )
  plain <- net_gradient(d$X, d$y, d$Gamma1, NULL, NULL, d$Gamma2, "tanh")
  expect_null(plain$gamma)
  expect_null(plain$beta)
  V <- tanh(d$X %*% d$Gamma1)
  e <- d$y - drop(V %*% d$Gamma2)
  expect_equal(plain$Gamma1, crossprod(d$X, tcrossprod(-2 * e / 12, d$Gamma2) * (1 - V^2)), ignore_attr = TRUE)
})

test_that("check_gradient checks R functions", {
  needs_python()
  right <- check_gradient(function(x) sum(sin(x)), cos, c(0.3, 1, 2))
  expect_true(right$ok)
  expect_identical(right$method, "complex step")
  expect_output(print(right), "passed")
  wrong <- check_gradient(function(x) sum(sin(x)), sin, c(0.3, 1, 2))
  expect_false(wrong$ok)
  not_analytic <- check_gradient(function(x) sum(Mod(x)^2), function(x) 2 * x, c(0.3, -1))
  expect_true(not_analytic$ok)
  expect_identical(not_analytic$method, "central differences")
  named <- check_gradient(
    function(A, b) sum((A %*% b)^2),
    function(A, b) list(A = 2 * A %*% b %*% t(b), b = drop(2 * t(A) %*% A %*% b)),
    list(A = matrix(rnorm(6), 2), b = rnorm(3))
  )
  expect_true(named$ok)
  expect_named(named$errors, c("A", "b"))
  expect_error(check_gradient(function(x) stop("no such thing"), cos, 1:3), "no such thing", class = "matbn_RFunctionError")
  expect_error(check_gradient(function(x) "a", cos, 1:3), "must hold numbers", class = "matbn_error")
  expect_error(check_gradient(1, cos, 1:3), "f must be a function", class = "matbn_error")
})

test_that("nodes whose inputs nearly cancel give a warning of R", {
  needs_python()
  d <- draw_net()
  d$X[, 3] <- d$X[, 1] + 1e-8 * d$X[, 2]
  d$Gamma1[, 1] <- c(1, 0, -1, 0)
  expect_warning(do.call(net_gradient, d), "nearly cancels the inputs in node 1 ", class = "matbn_PrecisionWarning")
  expect_warning(gradient <- do.call(net_gradient, d), class = "matbn_warning")
  expect_true(is.matrix(gradient$Gamma1))
})
