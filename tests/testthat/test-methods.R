# Calls, offsets, missing values, coefficients, summaries and updates of fits.
test_that("the formula may stand anywhere, and the call is the user's", {
  needs_python()
  expected <- coef(matbn(mpg ~ wt, mtcars))
  called <- function(fit) {
    expect_equal(coef(fit), expected)
    deparse(fit$call)
  }
  expect_equal(called(matbn(mpg ~ wt, mtcars)), "matbn(formula = mpg ~ wt, data = mtcars)")
  expect_equal(called(matbn(data = mtcars, formula = mpg ~ wt)), "matbn(formula = mpg ~ wt, data = mtcars)")
  expect_equal(called(matbn(mtcars, formula = mpg ~ wt)), "matbn(formula = mpg ~ wt, data = mtcars)")
  expect_equal(called(matbn::matbn(mpg ~ wt, mtcars)), "matbn::matbn(formula = mpg ~ wt, data = mtcars)")
  inside <- function(cars, w) matbn(mpg ~ wt, cars, weights = w)
  expect_equal(called(inside(mtcars, rep(2, 32))), "matbn(formula = mpg ~ wt, data = cars, weights = w)")
  expect_equal(coef(do.call(matbn, list(mpg ~ wt, mtcars))), expected)
})

test_that("offsets are as in lm, with weights, subsets and effects", {
  needs_python()
  d <- transform(mtcars, o = hp / 20)
  fit <- matbn(mpg ~ wt + offset(o) + offset(am), d, weights = qsec, subset = gear < 5)
  expected <- lm(mpg ~ wt + offset(o) + offset(am), d, weights = qsec, subset = gear < 5)
  expect_equal(coef(fit), coef(expected), tolerance = 1e-8)
  expect_equal(fitted(fit), fitted(expected), tolerance = 1e-8)
  expect_equal(residuals(fit), residuals(expected), tolerance = 1e-8)
  expect_equal(predict(fit, d[3:1, ]), predict(expected, d[3:1, ]), tolerance = 1e-8)
  effects <- matbn(mpg ~ wt + offset(o) | cyl, d, weights = qsec, subset = gear < 5)
  expected <- lm(mpg ~ wt + offset(o) + factor(cyl), d, weights = qsec, subset = gear < 5)
  expect_equal(coef(effects)[["wt"]], coef(expected)[["wt"]], tolerance = 1e-8)
  expect_equal(fitted(effects), fitted(expected), tolerance = 1e-8)
  expect_equal(predict(effects, d[1:9, ]), predict(expected, d[1:9, ]), tolerance = 1e-8)
  net <- matbn(mpg ~ offset(o) + net(wt, size = 1), d, starts = 1, seed = 1)
  less <- matbn(I(mpg - o) ~ net(wt, size = 1), d, starts = 1, seed = 1)
  expect_equal(fitted(net), fitted(less) + d$o, tolerance = 1e-8, ignore_attr = TRUE)
  expect_equal(predict(net, d), fitted(net), tolerance = 1e-10)
  expect_true(is.na(predict(net, transform(d[1, ], o = NA))))
})

test_that("na.exclude pads fitted values, residuals and predictions", {
  needs_python()
  formula <- Ozone ~ Wind + offset(Solar.R / 100) + factor(Month)
  fit <- matbn(formula, airquality, weights = Temp, na.action = na.exclude)
  expected <- lm(formula, airquality, weights = Temp, na.action = na.exclude)
  for (f in list(fitted, residuals, predict, weights)) expect_equal(f(fit), f(expected), tolerance = 1e-8)
  expect_equal(nobs(fit), 111L)
  new <- airquality[4:6, ]
  expect_equal(predict(fit, new, na.action = na.exclude), predict(fit, new))
  expect_length(predict(fit, new, na.action = na.omit), 1)
})

test_that("coef gives any part by name", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, mtcars, starts = 1, seed = 1)
  net <- coef(fit, "nets")
  expect_equal(names(coef(fit)), "qsec")
  expect_equal(names(net), c(
    "Gamma1[wt,1]", "Gamma1[hp,1]", "Gamma1[wt,2]", "Gamma1[hp,2]", "gamma[1]", "gamma[2]", "beta[1]", "beta[2]",
    "Gamma2[1]", "Gamma2[2]"
  ))
  expect_equal(net[["Gamma1[hp,2]"]], fit$nets[[1]]$Gamma1[2, 2])
  expect_equal(net[["Gamma2[1]"]], fit$nets[[1]]$Gamma2[1])
  expect_equal(coef(fit, "effects")[["cyl[6]"]], fit$effects$cyl[["6"]])
  expect_equal(coef(fit, "all"), c(coef(fit), net, coef(fit, "effects")))
  two <- matbn(mpg ~ net(wt, size = 1, label = "weight") + net(hp, size = 1), mtcars, starts = 1, seed = 1)
  expect_equal(names(coef(two, "nets"))[c(1, 8)], c("weight:Gamma1[wt,1]", "net(hp, size = 1):Gamma2[1]"))
  expect_length(coef(matbn(mpg ~ wt, mtcars), "nets"), 0)
  expect_error(coef(fit, "net weights"), "should be one of", class = "matbn_error")
})

test_that("the summary holds and prints what a reader needs", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, mtcars, weights = disp, penalty = 1e-4, starts = 3, seed = 1)
  found <- summary(fit)
  expect_s3_class(found, "summary.matbn")
  expect_equal(found$rmse, sqrt(weighted.mean(residuals(fit)^2, mtcars$disp)))
  expect_equal(found$nets[[1]][2, ], coef(fit, "nets")[c(3, 4, 6, 8, 10)], ignore_attr = TRUE)
  expect_equal(found$effects["cyl", "sd"], sd(fit$effects$cyl))
  expect_equal(found$residuals[3], median(residuals(fit)))
  expect_equal(nrow(found$searches), 3L)
  expect_output(print(found), paste0(
    "Call:.*Residuals:.*Median.*Linear part.*:.*Estimate.*qsec.*net\\(wt, hp, size = 2\\), tanh.*Gamma1\\[wt\\].*gamma.*Gamma2",
    ".*Fixed effects:.*groups.*cyl +3.*32 rows, rank 4.*R-squared: .*within: .*Weighted root mean squared error.*Penalty: 1e-04",
    ".*Searches.*loss.*converged"
  ))
  chosen <- summary(matbn(mpg ~ net(wt, size = 1), mtcars, penalty = "gcv", starts = 1, seed = 1))
  expect_output(print(chosen), "effective degrees of freedom")
  expect_output(print(summary(matbn(mpg ~ wt + I(2 * wt), mtcars))), "I\\(2 \\* wt\\) +NA.*note: I\\(2 \\* wt\\): dropped")
})

test_that("update changes formulas part by part, and other arguments", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, size = 1) | cyl, mtcars, starts = 1, seed = 1)
  becomes <- function(change) deparse(formula(update(fit, change)))
  expect_equal(becomes(. ~ . + drat), "mpg ~ qsec + net(wt, size = 1) + drat | cyl")
  expect_equal(becomes(. ~ . - net(wt, size = 1)), "mpg ~ qsec | cyl")
  expect_equal(becomes(log(.) ~ . | . + am), "log(mpg) ~ qsec + net(wt, size = 1) | cyl + am")
  expect_equal(becomes(. ~ . | am), "mpg ~ qsec + net(wt, size = 1) | am")
  expect_equal(becomes(. ~ . | . - cyl), "mpg ~ qsec + net(wt, size = 1)")
  expect_equal(becomes(. ~ drat + offset(hp)), "mpg ~ drat + offset(hp) | cyl")
  expect_equal(formula(update(matbn(mpg ~ wt, mtcars), . ~ . | cyl)), mpg ~ wt | cyl, ignore_attr = TRUE)
  heavier <- update(fit, penalty = 0.1, weights = disp)
  expect_equal(heavier$penalty, 0.1)
  expect_equal(weights(heavier), mtcars$disp)
  expect_null(weights(update(heavier, weights = NULL)))
  expect_equal(update(fit, seed = 2, evaluate = FALSE)$seed, 2)
  x <- as.matrix(mtcars["wt"])
  arrays <- matbn(x, mtcars$mpg, size = 1, starts = 1, seed = 1)
  expect_length(update(arrays, size = 2)$nets[[1]]$gamma, 2)
  expect_error(update(arrays, . ~ .), "no formula", class = "matbn_error")
})
