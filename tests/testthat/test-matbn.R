test_that("without nets, coefficients are those of lm", {
  needs_python()
  formula <- uptake ~ Type * Treatment + log(conc)
  fit <- matbn(formula, CO2)
  expect_equal(coef(fit), coef(lm(formula, CO2)), tolerance = 1e-8)
  expect_equal(fitted(fit), fitted(lm(formula, CO2)), tolerance = 1e-8)
  formula <- mpg ~ wt + factor(cyl) + poly(disp, 2)
  fit <- matbn(formula, mtcars, weights = hp, subset = am == 1)
  expected <- lm(formula, mtcars, weights = hp, subset = am == 1)
  expect_equal(coef(fit), coef(expected), tolerance = 1e-8)
  expect_equal(predict(fit, mtcars[1:6, ]), predict(expected, mtcars[1:6, ]), tolerance = 1e-8)
  expect_true(is.na(coef(matbn(mpg ~ wt + I(2 * wt), mtcars))[3]))
})

test_that("fixed effects are dummies", {
  needs_python()
  set.seed(1)
  d <- data.frame(x = rnorm(200), id = sample(letters, 200, TRUE), year = sample(1:6, 200, TRUE), w = runif(200, 0.5, 2))
  d$y <- 2 * d$x + match(d$id, letters) + d$year + rnorm(200)
  one <- matbn(y ~ x | id, d)
  expect_equal(coef(one)[["x"]], coef(lm(y ~ x + id, d))[["x"]], tolerance = 1e-8)
  two <- matbn(y ~ x | id + year, d, weights = w)
  expected <- lm(y ~ x + id + factor(year), d, weights = w)
  expect_equal(coef(two)[["x"]], coef(expected)[["x"]], tolerance = 1e-8)
  expect_equal(fitted(two), fitted(expected), tolerance = 1e-8)
  expect_equal(two$rank, expected$rank)
  expect_equal(predict(two, d[1:9, ]), fitted(two)[1:9], tolerance = 1e-10)
})

test_that("nets fit, predict without Python and survive saveRDS", {
  needs_python()
  set.seed(2)
  fit <- matbn(weight ~ Diet + net(Time, size = 3), ChickWeight, starts = 3)
  expect_true(fit$converged)
  expect_gt(fit$r.squared, summary(lm(weight ~ Diet + Time, ChickWeight))$r.squared)
  expect_equal(predict(fit), fitted(fit))
  expect_equal(unname(predict(fit, ChickWeight)), unname(fitted(fit)), tolerance = 1e-10)
  expect_equal(nobs(fit), 578L)
  expect_output(print(fit), "Linear part.*Diet2.*3 node\\(s\\), tanh, on Time.*4 searches ended")
  file <- tempfile()
  saveRDS(fit, file)
  expect_equal(predict(readRDS(file), ChickWeight[3:5, ]), predict(fit, ChickWeight[3:5, ]))
  net <- fit$nets[[1]]
  nodes <- as.matrix(ChickWeight$Time) %*% net$Gamma1
  expect_equal(unname(colMeans(sweep(nodes, 2, colMeans(nodes))^2)), rep(1, 3), tolerance = 1e-9)
})

test_that("every activation predicts in R what Python fitted", {
  needs_python()
  for (activation in c("relu", "leaky_relu", "tanh", "logistic", "softplus", "gelu", "sine", "identity")) {
    fit <- suppressWarnings(matbn(mpg ~ net(wt, hp, size = 2), mtcars, activation = activation, starts = 1, seed = 1))
    expect_equal(unname(predict(fit, mtcars)), unname(fitted(fit)), tolerance = 1e-9, info = activation)
  }
})

test_that("set.seed governs, structure holds, and the caller's variables are found", {
  needs_python()
  set.seed(3)
  a <- matbn(mpg ~ net(wt, hp, size = 2), mtcars, starts = 2)
  set.seed(3)
  b <- matbn(mpg ~ net(wt, hp, size = 2), mtcars, starts = 2)
  expect_identical(a$fitted.values, b$fitted.values)
  nodes <- 2
  which <- rbind(c(1, 0), c(1, 1))
  fit <- matbn(mpg ~ net(wt, hp, size = nodes, mask = which), mtcars, starts = 1, seed = 1)
  expect_equal(fit$nets[[1]]$Gamma1[1, 2], 0)
  smooth <- rbind(1, 2)
  fit <- matbn(mpg ~ net(wt, hp, size = 1, basis = smooth) + net(qsec, size = 1), mtcars, starts = 1, seed = 1)
  expect_equal(unname(fit$nets[[1]]$Gamma1[2, 1] / fit$nets[[1]]$Gamma1[1, 1]), 2)
  expect_length(fit$nets, 2)
})

test_that("the penalty can be chosen by generalised cross-validation", {
  needs_python()
  fit <- matbn(mpg ~ net(wt, hp, size = 2), mtcars, penalty = "gcv", starts = 2, seed = 1)
  expect_gt(fit$penalty, 0)
  expect_lt(fit$edf, 32)
  expect_gt(fit$edf, 2)
  expect_error(matbn(mpg ~ wt + net(hp, size = 1), mtcars, penalty = "bic"), "\"gcv\"", class = "matbn_error")
})

test_that("missing values go as R has them", {
  needs_python()
  d <- airquality
  fit <- matbn(Ozone ~ Wind + net(Temp, size = 1), d, starts = 1, seed = 1)
  expect_equal(nobs(fit), sum(complete.cases(d[c("Ozone", "Wind", "Temp")])))
  excluded <- matbn(Ozone ~ Wind + net(Temp, size = 1), d, starts = 1, seed = 1, na.action = na.exclude)
  expect_length(predict(excluded), nrow(d))
  expect_true(is.na(predict(excluded)[[5]]))
  expect_true(is.na(predict(fit, data.frame(Wind = 3, Temp = NA_real_))))
})

test_that("outcomes that the linear part fits exactly leave no nets", {
  needs_python()
  fit <- matbn(I(2 * wt) ~ wt + net(hp, size = 2), mtcars, starts = 1)
  expect_match(fit$messages[1], "leave nothing to the nets")
  expect_equal(unname(predict(fit, mtcars)), 2 * mtcars$wt, tolerance = 1e-10)
})

test_that("solvers, penalties and progress are those of Python", {
  needs_python()
  formula <- mpg ~ qsec + net(wt, size = 1)
  fit <- function(...) matbn(formula, mtcars, starts = 1, seed = 1, tolerance = 1e-8, ...)
  profiled <- fit()
  for (solver in c("lm", "joint")) {
    expect_equal(fitted(fit(solver = solver)), fitted(profiled), tolerance = 1e-6, info = solver)
  }
  expect_silent(trained <- fit(solver = "adam", iterations = 20))
  expect_false(trained$converged)
  expect_equal(length(trained$traces[[1]]), 20)
  expect_lt(abs(coef(fit(linear_penalty = 10))[["qsec"]]), abs(coef(profiled)[["qsec"]]))
  expect_equal(tail(profiled$traces[[1]], 1), profiled$searches$loss[1])
  expect_error(fit(solver = "sgd"), "solver is 'sgd', but must be one of 'profiled'", class = "matbn_ArgumentError")
  expect_error(fit(linear_penalty = -1), "linear_penalty is -1", class = "matbn_ArgumentError")
  expect_error(fit(progress = NA), "progress must be TRUE or FALSE", class = "matbn_ElementTypeError")
})

test_that("progress is written on R's console", {
  needs_python()
  set.seed(4)
  N <- 20000
  d <- data.frame(a = runif(N), b = runif(N), c = runif(N))
  d$y <- sin(7 * d$a * d$b) + d$c^2 + rnorm(N) / 5
  shown <- capture.output(
    suppressWarnings(matbn(y ~ net(a, b, c, size = 12), d, starts = 2, iterations = 400, tolerance = 0, progress = TRUE)),
    type = "message"
  )
  expect_match(paste(shown, collapse = ""), "matbn: [0-9] of 2 starts, [0-9]+ iterations, loss 0\\.")
})
