# matbn() on matrices instead of a formula.
X <- as.matrix(mtcars[c("wt", "hp")])
y <- mtcars$mpg
same_fit <- function(a, b) {
  expect_equal(fitted(a), fitted(b), tolerance = 1e-9)
  expect_equal(unname(coef(a, "all")), unname(coef(b, "all")), tolerance = 1e-6)
}

test_that("a matrix gives the fit of its formula", {
  needs_python()
  same_fit(matbn(X, y, size = 2, seed = 1, starts = 2), matbn(mpg ~ net(wt, hp, size = 2), mtcars, seed = 1, starts = 2))
  same_fit(
    matbn(mtcars[c("wt", "hp")], y, 2, mtcars["qsec"], mtcars["cyl"], mtcars$disp, seed = 1, starts = 2),
    matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, mtcars, weights = disp, seed = 1, starts = 2)
  )
  which <- cbind(0:1, 1)
  two <- matbn(
    list(a = X, b = mtcars$qsec), y, size = 2:1, linear = mtcars$drat, effects = mtcars[c("am", "cyl")],
    mask = list(which, NULL), basis = list(NULL, matrix(2)), activation = "logistic", penalty = 0.01, seed = 1, starts = 2
  )
  same_fit(two, matbn(
    mpg ~ drat + net(wt, hp, size = 2, mask = which) + net(qsec, size = 1, basis = matrix(2)) | am + cyl, mtcars,
    activation = "logistic", penalty = 0.01, seed = 1, starts = 2
  ))
  expect_equal(names(coef(two, "all"))[c(1, 2, 12)], c("linear", "a:Gamma1[wt,1]", "b:Gamma1[b,1]"))
  expect_output(print(summary(two)), "b, logistic:")
})

test_that("new rows come as matrices too", {
  needs_python()
  fit <- matbn(list(X, mtcars$qsec), y, size = c(1, 1), linear = mtcars[c("disp", "drat")], effects = mtcars["cyl"], seed = 1)
  new <- function(inputs = list(X, mtcars$qsec), linear = mtcars[c("disp", "drat")], effects = mtcars["cyl"]) {
    predict(fit, inputs, linear = linear, effects = effects)
  }
  expect_equal(predict(fit), fitted(fit))
  expect_equal(new(), fitted(fit), tolerance = 1e-10)
  expect_equal(new(list(X[, 2:1], mtcars$qsec), mtcars[c("drat", "disp")]), fitted(fit), tolerance = 1e-10) # by name
  expect_equal(new(linear = unname(as.matrix(mtcars[c("disp", "drat")]))), fitted(fit), tolerance = 1e-10)
  with_intercept <- model.matrix(~ factor(cyl), mtcars)
  dummies <- matbn(X, y, size = 1, linear = with_intercept, starts = 1, seed = 1)
  expect_equal(predict(dummies, X, linear = with_intercept), fitted(dummies), tolerance = 1e-10)
  expect_true(is.na(new(list(replace(X, 1, NA), mtcars$qsec))[[1]]))
  one <- matbn(X, y, size = 1, starts = 1, seed = 1)
  expect_equal(predict(one, X[3, ]), unname(fitted(one)[3]), tolerance = 1e-10)
  expect_equal(predict(one, mtcars[3:1, ]), fitted(one)[3:1], tolerance = 1e-10)
  refused <- function(code, message) expect_error(code, message, class = "matbn_error")
  refused(predict(fit, X), "newdata holds 1 matrices, but the fit has 2 nets")
  refused(predict(fit, list(X, y)), "the fit has linear columns; give linear")
  refused(new(linear = mtcars["drat"]), "linear has no column disp")
  refused(new(linear = mtcars$drat), "linear has 1 columns, but the fit has 2: disp, drat")
  refused(new(effects = list(cyl = rep(9, 32))), "cyl has groups that the fit has not seen: 9")
  refused(new(effects = mtcars$cyl), "effects has no cyl")
  refused(new(linear = mtcars[1:3, c("disp", "drat")]), "equally many")
  refused(predict(one, X[, 1]), "newdata has 1 columns, but the fit has 2: wt, hp")
  refused(predict(one, X, linear = 1), "the fit has no linear columns")
})

test_that("matrices that do not fit together are refused", {
  needs_python()
  refused <- function(message, x = X, outcomes = y, size = 1, ...) {
    expect_error(matbn(x, outcomes, size, ..., starts = 1), message, class = "matbn_error")
  }
  expect_error(matbn(X, y), "size is missing", class = "matbn_error")
  expect_error(matbn(X, size = 1), "y is missing", class = "matbn_error")
  refused("size has length 1, but the number of nets is 2", list(X, X))
  refused("size must be a whole number", size = "a")
  refused("y has 31 rows, but the inputs have 32", outcomes = y[-1])
  refused("y is of class character", outcomes = as.character(y))
  refused("y has 2 columns", outcomes = cbind(y, y))
  refused("y has NA in 1 row\\(s\\): Mazda RX4", outcomes = replace(y, 1, NA))
  refused("column wt has NA in 1 row", replace(X, 1, NA))
  refused("columns that are no numbers \\(Species\\)", iris)
  refused("no matrix", list())
  refused("net2 is of class list", list(X, list(1)), size = c(1, 1))
  refused("linear has 3 rows", linear = 1:3)
  refused("effect has 3 rows", effects = 1:3)
  refused("effect has missing groups", effects = replace(mtcars$cyl, 1, NA))
  refused("weights has 3 rows", weights = 1:3)
  refused("1 missing values", weights = replace(y, 1, NA))
  refused("no rows", X[0, ], y[0])
  refused("basis is of class list", basis = list(1))
  refused("mask must be a list", list(X, X), size = c(1, 1), mask = X)
})
