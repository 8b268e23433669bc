# Formulas of clusters mean what they say: ways are added, combinations are one way.
refused <- function(code, message) expect_error(code, message, class = "matbn_error")
cars <- transform(mtcars, both = paste(gear, carb), f = factor(gear), `odd name` = carb, check.names = FALSE)

test_that("a:b is one way of clustering, by the combinations that occur", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, cars, starts = 1, seed = 1, penalty = 1e-2)
  pasted <- vcov(fit, ~both, part = "all")
  for (way in list(~gear:carb, ~gear^carb, ~carb:gear, ~(gear:carb), ~f:carb, ~f:`odd name`, "~ gear:carb")) {
    expect_equal(vcov(fit, way, part = "all"), pasted, info = format(way))
  }
  expect_false(isTRUE(all.equal(vcov(fit, ~gear + carb, part = "all"), pasted)))
  expect_equal(vcov(fit, ~gear + carb + carb:gear), vcov(fit, ~both + carb + gear))
  expect_equal(vcov(fit, ~cyl:gear:am), vcov(fit, list(all = paste(cars$cyl, cars$gear, cars$am))))
  expect_equal(confint(fit, vcov = ~gear:carb), confint(fit, vcov = ~both))
  expect_match(summary(fit, vcov = ~gear^carb)$errors, "clustered by gear:carb")
})

test_that("labels may be listed, and are looked up where the formula was written", {
  needs_python()
  fit <- matbn(mpg ~ qsec + wt, cars)
  expected <- vcov(fit, ~gear)
  expect_equal(vcov(fit, list(gear = cars$gear)), expected)
  expect_equal(vcov(fit, cars["f"]), expected)
  expect_equal(vcov(fit, cars[c("gear", "carb")]), vcov(fit, ~gear + carb))
  arrays <- matbn(cars$wt, cars$mpg, size = 1, linear = cars$qsec, starts = 1, seed = 1)
  wrapper <- function(own) vcov(arrays, ~own, "all")
  expect_equal(wrapper(cars$gear), vcov(arrays, list(id = cars$gear), "all"))
})

test_that("what is no formula of clusters gets a sentence", {
  needs_python()
  fit <- matbn(mpg ~ qsec + wt | cyl, cars)
  for (vcov in list(~ gear * carb, ~ gear - carb, ~ log(gear), ~1, ~ gear | carb, ~ 0 + gear, ~ -gear, ~ (gear + carb):am)) {
    refused(vcov(fit, vcov), "is no name of a variable; write ~ a, ~ a \\+ b for two ways")
  }
  refused(vcov(fit, mpg ~ gear), "to the right of ~ alone")
  refused(vcov(fit, "mpg ~ gear"), "to the right of ~ alone")
  refused(vcov(fit, "~ gear +"), "must be \"iid\"")
  refused(vcov(fit, ~.), "\\. is neither")
  refused(vcov(fit, ~gear + nothing), "nothing is neither")
  refused(vcov(fit, ~letters), "26 labels, but the fit 32 rows")
  refused(vcov(fit, c("HC1", "HC2")), "class character, but must be")
  refused(vcov(fit, cars$both), "list\\(id = labels\\)")
  refused(vcov(fit, cars$gear), "list\\(id = labels\\)")
  refused(vcov(fit, cars$f), "class factor.*list\\(id = labels\\)")
  refused(vcov(fit, diag(2)), "class matrix.*\"HC3\" here")
  refused(vcov(fit, function(x) x), "class function.*\"HC3\" here")
  refused(vcov(fit, NULL), "class NULL")
  refused(vcov(fit, NA_character_), "class character")
  refused(vcov(fit, list(cars$gear)), "list without names")
  refused(vcov(fit, list()), "list without names")
  refused(vcov(fit, list(id = 1:3)), "3 labels, but the fit 32 rows")
  refused(vcov(fit, list(id = as.list(1:32))), "vector of labels")
  refused(vcov(fit, list(id = replace(cars$gear, 3, NA))), "missing labels")
  refused(vcov(fit, list(id = rep(1, 32))), "one group only")
})

test_that("groups and times are one variable, never what a computation on it has", {
  needs_python()
  fit <- matbn(mpg ~ qsec + wt, cars)
  for (by in list(~ log(gear), ~ -gear, ~ gear:gear, gear ~ gear, ~1, ~ gear + carb)) {
    refused(cross_validate(fit, by = by), "must be a formula with one variable, such as ~ id")
    refused(bootstrap(fit, by = by), "must be a formula with one variable")
  }
  refused(cross_validate(fit, by = as.list(cars$gear)), "by is of class list")
  own <- cars$gear
  expect_equal(cross_validate(fit, by = ~own, seed = 1)$mse, cross_validate(fit, by = ~gear, seed = 1)$mse)
})

test_that("variances below 0 are NA with a warning", {
  needs_python()
  d <- data.frame(y = c(1, -1, 2, -2, 1, -3), x = 1:6, a = c(1, 1, 2, 2, 3, 3), b = c(1, 2, 1, 2, 1, 2))
  fit <- matbn(y ~ x, d)
  vcov <- ~ a + b
  expect_lt(min(diag(vcov(fit, vcov))), 0)
  lost <- function(code) {
    expect_warning(found <- code, "are NA: several ways of clustering leave a variance below 0", class = "matbn_InferenceWarning")
    expect_false(any(is.nan(unlist(found))))
    expect_true(anyNA(unlist(found)))
  }
  lost(as.data.frame(summary(fit, vcov = vcov)$coefficients))
  lost(as.data.frame(confint(fit, vcov = vcov)))
  lost(predict(fit, data.frame(x = 1e4), se.fit = TRUE, vcov = vcov)["se.fit"])
  lost(marginal_effects(fit, vcov = vcov)[c("estimate", "std.error")])
})
