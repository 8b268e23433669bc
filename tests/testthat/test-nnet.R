# as_nnet() must predict, through package nnet's own code, what the fit predicts.
same_predictions <- function(fit, newdata, ..., net = as_nnet(fit)) {
  skip_if_not_installed("nnet")
  expected <- predict(fit, newdata, ...)
  found <- predict(net, if (is.list(newdata) && !is.data.frame(newdata)) do.call(cbind, newdata) else newdata)
  expect_lt(max(abs(c(found) - unname(expected))), 1e-12 * max(1, abs(expected)))
  invisible(net)
}

quick <- function(...) suppressWarnings(matbn(..., starts = 1, seed = 1, iterations = 100, penalty = 0.03))

cars <- transform(mtcars, f = factor(cyl), g = factor(gear), name = rownames(mtcars), heavy = wt > 3, v = factor(vs), a = factor(am))

test_that("nnet predicts what tanh, logistic and identity nets do", {
  needs_python()
  for (activation in c("tanh", "logistic", "identity")) {
    fit <- quick(mpg ~ qsec + net(wt, hp, size = 2), cars, activation = activation)
    net <- same_predictions(fit, cars[5:1, ])
    expect_s3_class(net, c("nnet.formula", "nnet"), exact = TRUE)
    expect_equal(c(predict(net)), unname(fitted(fit)))
    expect_equal(c(residuals(net)), unname(residuals(fit)))
    expect_equal(net$n, c(3, if (activation == "identity") 0 else 2, 1))
  }
  expect_error(as_nnet(quick(mpg ~ net(wt, size = 1), cars, activation = "relu")), "'relu'.*\"logistic\", \"tanh\"", class = "matbn_error")
})

test_that("factors, interactions, transformations and contrasts come through", {
  needs_python()
  same_predictions(quick(mpg ~ f + g:qsec + net(wt, f, size = 2), cars), cars[3:9, ])
  same_predictions(quick(mpg ~ f:g + heavy + net(hp, g, size = 1), cars), cars[7, ])
  same_predictions(quick(mpg ~ f * qsec + net(qsec, qsec:f, heavy, size = 1), cars), cars)
  same_predictions(quick(mpg ~ poly(disp, 2) + net(splines::ns(hp, 3), poly(disp, 2), log(wt), size = 1), cars), cars[1:4, ])
  same_predictions(quick(mpg ~ scale(wt) + net(scale(wt), scale(hp), size = 1), cars), cars[1:4, ])
  sums <- list(f = "contr.sum", g = "contr.helmert")
  same_predictions(quick(mpg ~ f + net(wt, f:g, g, size = 1), cars, contrasts.arg = sums), cars[4:9, ])
  same_predictions(quick(mpg ~ f:g + net(wt, f, g, size = 1), cars, contrasts.arg = sums), cars[4:9, ])
  same_predictions(quick(mpg ~ wt + I(2 * wt) + net(wt, size = 1), cars), cars[1:4, ]) # NA coefficient
  same_predictions(quick(log(mpg) ~ wt - 1 + net(hp, size = 1) | f, cars), cars[1:4, ])
  same_predictions(matbn(mpg ~ net(hp, size = 1), cars, subset = cyl > 4, weights = wt, starts = 1, seed = 1, penalty = 0.03), cars[2:4, ])
  same_predictions(quick(mpg ~ wt, cars), cars[2:4, ])
  odd <- transform(cars, o = factor(cyl, ordered = TRUE), date = as.Date("2020-01-01") + qsec)
  names(odd)[names(odd) == "gear"] <- "my gear"
  same_predictions(quick(mpg ~ o + `my gear` + net(date, f:`my gear`, size = 1), odd), odd[2:4, ])
  same_predictions(quick(mpg ~ net(date, o, size = 1) | `my gear`, odd), odd[2:4, ])
  reversed <- quick(mpg ~ v + a + net(a:v, size = 1), cars)
  expect_error(as_nnet(reversed), "a:v has its variables in another order", class = "matbn_error")
})

test_that("effects are factors, and several nets one layer", {
  needs_python()
  one <- quick(mpg ~ qsec + net(wt, size = 1) + net(hp, wt, size = 2) | cyl, cars)
  net <- same_predictions(one, cars[3:1, ])
  expect_equal(net$n, c(6, 3, 1))
  expect_equal(sum(net$wts[1:21] == 0), 5 + 4 + 4) # weights of inputs that a node does not have
  expect_error(predict(net, transform(cars, cyl = 5)), "new level")
  same_predictions(quick(mpg ~ net(wt, hp, size = 2, mask = cbind(0:1, 1)) | f + gear + name, cars[c(1:32, 1:9), ]), cars[1:9, ])
  same_predictions(quick(mpg ~ net(wt, size = 1, basis = rbind(2)) + factor(gear) | gear + cyl, cars), cars[1:9, ])
  same_predictions(quick(mpg ~ wt + gear | gear, cars), cars[1:9, ])
  same_predictions(quick(mpg ~ wt | one, transform(cars, one = 1)), transform(cars[1:9, ], one = 1))
  same_predictions(quick(mpg ~ 1, cars), cars[1:9, ])
  lacking <- transform(cars[1:3, ], wt = c(NA, 3, 4), name = NULL)
  expect_equal(c(predict(as_nnet(one), lacking)), unname(predict(one, lacking)), tolerance = 1e-12)
})

test_that("fits of matrices take one matrix", {
  needs_python()
  X <- as.matrix(mtcars[c("wt", "hp")])
  net <- same_predictions(quick(X, mtcars$mpg, size = 2), X[9:1, ])
  expect_s3_class(net, "nnet", exact = TRUE)
  fit <- quick(list(a = X, b = mtcars$qsec), mtcars$mpg, size = c(1, 2), linear = mtcars["drat"])
  net <- as_nnet(fit)
  expected <- predict(fit, list(X, mtcars$qsec), linear = mtcars["drat"])
  expect_equal(c(predict(net, cbind(X, mtcars$qsec, mtcars$drat))), unname(expected), tolerance = 1e-12)
  expect_error(as_nnet(quick(X, mtcars$mpg, size = 1, effects = mtcars$cyl)), "by a formula", class = "matbn_error")
})

test_that("nnet prints it, without Python after saving; what it cannot express is refused", {
  needs_python()
  skip_if_not_installed("nnet")
  formula <- mpg ~ qsec + net(wt, hp, size = 2) | cyl
  environment(formula) <- globalenv() # not the tests', which refers to the package
  fit <- quick(formula, cars)
  net <- as_nnet(fit)
  expect_output(
    print(net),
    "a 6-2-1 network with 23 weights.*inputs: qsec wt hp factor\\(cyl\\)4.*output\\(s\\): mpg.*skip-layer.*linear output"
  )
  expect_output(print(summary(net)), "i6->o")
  expect_length(coef(net), 23)
  expect_output(print(as_nnet(quick(as.matrix(mtcars["wt"]), mtcars$mpg, size = 1))), "a 1-1-1 network with 5 weights")
  file <- tempfile()
  saveRDS(list(net = net, fit = fit, data = cars), file)
  out <- in_new_session(c(
    sprintf("saved <- readRDS('%s'); library(nnet)", file),
    "found <- c(predict(saved$net, saved$data)); invisible(capture.output(print(saved$net)))",
    "cat(max(abs(found - fitted(saved$fit))) < 1e-11, 'matbn' %in% loadedNamespaces())"
  ))
  expect_equal(tail(out, 1), "TRUE FALSE")
  step <- quick(I(wt > 3) ~ net(wt, size = 1), cars)
  step$nets[[1]]$gamma <- 20 * step$nets[[1]]$gamma
  step$nets[[1]]$reach <- 20 * step$nets[[1]]$reach
  expect_warning(net <- as_nnet(step), "saturated nodes \\(1\\)", class = "matbn_PrecisionWarning")
  expect_lt(max(abs(predict(net, cars) - predict(step, cars))), 6.2e-7 * step$nets[[1]]$Gamma2)
  expect_error(as_nnet(quick(mpg ~ offset(qsec) + wt, cars)), "no offset", class = "matbn_error")
  expect_error(as_nnet(lm(mpg ~ wt, cars)), "class lm", class = "matbn_error")
})
