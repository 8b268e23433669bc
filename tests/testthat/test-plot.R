# Plots: what they return is what they draw.

on_no_page <- function(code) {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  before <- graphics::par(no.readonly = TRUE)
  value <- force(code)
  after <- graphics::par(no.readonly = TRUE)
  same <- setdiff(names(before), c("usr", "xaxp", "yaxp", "xlog", "ylog", "page", "new"))
  expect_equal(after[same], before[same])
  value
}

chick_fit <- local({
  fit <- NULL
  function() {
    if (is.null(fit)) {
      fit <<- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4, starts = 3, seed = 1)
    }
    fit
  }
})

test_that("a fit's plots return the numbers that are drawn", {
  needs_python()
  fit <- chick_fit()
  curves <- on_no_page(plot(fit, vcov = ~ Chick, level = 0.9))
  expect_named(curves, c("Time", "Diet"))
  expect_equal(curves$Time, partial_dependence(fit, "Time", vcov = ~ Chick, level = 0.9))
  expect_equal(curves$Diet, partial_dependence(fit, "Diet", vcov = ~ Chick, level = 0.9))
  both <- on_no_page(plot(fit, c("fitted", "residuals")))
  expect_equal(both$fitted$observed, ChickWeight$weight)
  expect_equal(both$fitted$fitted, unname(fitted(fit)))
  expect_equal(both$residuals$std.resid, generics::augment(fit)$.std.resid)
  expect_false(is.unsorted(both$residuals$normal[order(both$residuals$std.resid, both$residuals$normal)]))
  traces <- on_no_page(plot(fit, "trace"))
  expect_equal(as.vector(table(traces$search)), fit$searches$iterations)
  ends <- tapply(traces$loss, traces$search, tail, 1)
  expect_equal(as.vector(ends), fit$searches$loss, tolerance = 1e-8)
  net <- on_no_page(plot(fit, "network"))
  A <- fit$nets[[1]]$Gamma1 * rep(fit$nets[[1]]$gamma, each = 1)
  spread <- sqrt(mean((ChickWeight$Time - mean(ChickWeight$Time))^2))
  expect_equal(unname(as.matrix(net$nets[[1]]$A)), unname(A * spread), tolerance = 1e-8)
  expect_equal(unname(net$nets[[1]]$Gamma2), fit$nets[[1]]$Gamma2)
})

test_that("plots work for fits of matrices, without nets and with weights", {
  needs_python()
  d <- transform(mtcars, w = rep(c(0, 1, 2, 1), 8))
  line <- matbn(mpg ~ wt + factor(cyl), d, weights = w)
  shown <- on_no_page(plot(line, c("effects", "fitted", "residuals", "network")))
  expect_named(shown$effects, c("cyl", "wt")) # in the order of the data
  expect_equal(nrow(shown$fitted), 24)
  expect_length(shown$network$linear, 3)
  matrices <- matbn(as.matrix(d[c("wt", "hp")]), d$mpg, size = 2, linear = d["qsec"], penalty = 1e-3, starts = 2, seed = 1)
  expect_named(on_no_page(plot(matrices)), c("wt", "hp", "qsec"))
  expect_error(on_no_page(plot(line, "trace")), "has no nets", class = "matbn_error")
})

test_that("a partial dependence, a bootstrap and a choice have plots", {
  needs_python()
  fit <- chick_fit()
  curve <- partial_dependence(fit, "Time")
  expect_equal(on_no_page(plot(curve, ylab = "grams")), curve)
  expect_error(on_no_page(plot(curve, colour = 2)), "'colour' is no argument", class = "matbn_error")
  expect_error(on_no_page(plot(curve[1:3])), "no longer what partial_dependence", class = "matbn_error")
  boot <- bootstrap(fit, by = ~ Chick, replicates = 30, seed = 1)
  shown <- on_no_page(plot(boot, level = 0.8))
  expect_equal(shown[, 2:3], confint(boot, level = 0.8), ignore_attr = TRUE)
  expect_equal(shown[, 1], boot$estimate)
  expect_error(on_no_page(plot(boot, "nothing")), "parm has 'nothing'", class = "matbn_error")
  choice <- choose_fit(fit, sizes = 1:2, penalties = c(1e-4, 1e-2), criterion = "bic", starts = 1, seed = 1)
  table <- on_no_page(plot(choice))
  expect_equal(which(table$best), which.min(choice$table$score))
})

test_that("two gradients are compared entry by entry", {
  needs_python()
  set.seed(1)
  X <- as.matrix(mtcars[c("wt", "hp", "qsec")])
  net <- list(Gamma1 = matrix(rnorm(6), 3), gamma = c(1, 1), beta = c(0, 0), Gamma2 = c(1, -1))
  by_route <- function(route) do.call(net_gradient, c(list(X, mtcars$mpg), net, activation = "tanh", route = route))
  one <- by_route("loop")
  other <- by_route("matrix")
  shown <- on_no_page(plot(one, other))
  expect_named(shown, c("Gamma1", "gamma", "beta", "Gamma2"))
  apart <- abs(unclass(one)$Gamma1 - unclass(other)$Gamma1) / max(abs(unclass(other)$Gamma1))
  expect_equal(shown$Gamma1, ifelse(apart == 0, -Inf, log10(apart)))
  expect_true(all(unlist(shown) < -14))
  wrong <- on_no_page(plot(one, unclass(other)$Gamma1 * 2, c("loop", "twice")))
  expect_equal(max(wrong$Gamma1), log10(0.5), tolerance = 1e-6)
  expect_error(on_no_page(plot(one)), "other is missing", class = "matbn_error")
  expect_error(on_no_page(plot(one, unclass(other)$Gamma1[, 1])), "must be|is of class", class = "matbn_error")
  expect_error(on_no_page(plot(one, t(unclass(other)$Gamma1))), "2 x 3, but x's is 3 x 2", class = "matbn_error")
})

test_that("what cannot be drawn is refused by name", {
  needs_python()
  fit <- chick_fit()
  expect_error(plot(fit, "pie"), "which has 'pie', but there are effects", class = "matbn_error")
  expect_error(plot(fit, colour = "red"), "'colour' is no argument", class = "matbn_error")
  expect_error(plot(fit, variables = "Chick"), "'Chick' is none of the fit's variables", class = "matbn_error")
  expect_error(plot(fit, "trace", level = 0.9), "level is for which = \"effects\" alone", class = "matbn_error")
})
