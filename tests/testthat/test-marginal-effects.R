# Effects, tests and comparisons of fits, beside numDeriv, lm and nnet.

panel <- function(N = 150) {
  with_seed <- function() {
    set.seed(7)
    d <- data.frame(x = runif(N, 1, 3), z = rnorm(N), w = runif(N, 0.5, 2), g = factor(sample(c("a", "b", "c"), N, TRUE)))
    d$id <- sample(10L, N, TRUE)
    d$year <- sample(5L, N, TRUE)
    d$y <- log(d$x) + tanh(d$z * d$x) + (d$g == "b") + d$id / 5 + rnorm(N) / 3
    d
  }
  with_seed()
}

test_that("marginal effects are numDeriv's derivatives of predictions", {
  needs_python()
  skip_if_not_installed("numDeriv")
  d <- panel()
  fit <- matbn(y ~ g + log(x) + net(z, scale(x), size = 2) | id, d, weights = w, penalty = 1e-3, starts = 2, seed = 1)
  for (name in c("x", "z")) {
    at <- function(values) {
      new <- d
      new[[name]] <- values
      sum(predict(fit, new))
    }
    rows <- marginal_effects(fit, name, average = FALSE)
    expect_equal(rows$estimate, numDeriv::grad(at, d[[name]]), tolerance = 1e-6)
    expect_equal(rows$row, rownames(d))
    mean <- marginal_effects(fit, name)
    expect_equal(mean$estimate, weighted.mean(rows$estimate, d$w), tolerance = 1e-8)
    expect_equal(c(mean$conf.low, mean$conf.high), mean$estimate + c(-1, 1) * qt(0.975, df.residual(fit)) * mean$std.error)
  }
  expect_equal(marginal_effects(fit)$variable, c("x", "z"))
})

test_that("errors of effects follow by numDeriv from the covariance of the parameters", {
  needs_python()
  skip_if_not_installed("numDeriv")
  d <- panel()
  fit <- matbn(y ~ x + net(z, x, size = 2), d, penalty = 1e-4, starts = 2, seed = 1)
  V <- vcov(fit, "HC1", part = "all")
  value <- function(p, new) {
    Z <- cbind(z = new$z, x = new$x)
    nodes <- tanh(Z %*% rbind(p[c("A[z,1]", "A[z,2]")], p[c("A[x,1]", "A[x,2]")]) + rep(p[c("c[1]", "c[2]")], each = nrow(Z)))
    drop(nodes %*% p[c("Gamma2[1]", "Gamma2[2]")]) + p["(Intercept)"] + p["x"] * new$x
  }
  p <- generics::tidy(fit, part = "all")
  p <- setNames(p$estimate, p$term)
  expect_equal(unname(value(p, d)), unname(predict(fit, d)), tolerance = 1e-8)
  average <- function(p) mean((value(p, transform(d, x = x + 1e-4)) - value(p, transform(d, x = x - 1e-4))) / 2e-4)
  g <- numDeriv::grad(function(q) average(setNames(q, names(p))), p)
  expect_equal(marginal_effects(fit, "x", vcov = "HC1")$std.error, sqrt(drop(g %*% V %*% g)), tolerance = 1e-5)
  J <- numDeriv::jacobian(function(q) value(setNames(q, names(p)), d[1:5, ]), p)
  expect_equal(unname(predict(fit, d[1:5, ], se.fit = TRUE, vcov = "HC1")$se.fit), sqrt(rowSums((J %*% V) * J)), tolerance = 1e-5)
})

test_that("partial dependence is the mean prediction, for numbers, factors and matrices", {
  needs_python()
  d <- panel()
  fit <- matbn(y ~ g + log(x) + net(z, size = 2) + offset(w) | id, d, penalty = 1e-3, starts = 2, seed = 1)
  curve <- partial_dependence(fit, "x", vcov = ~ id)
  expect_s3_class(curve, "matbn_dependence")
  expect_equal(nrow(curve), 40)
  expect_equal(curve$estimate[9], mean(predict(fit, transform(d, x = curve$x[9]))), tolerance = 1e-9)
  levels <- partial_dependence(fit, "g")
  expect_equal(as.character(levels$g), c("a", "b", "c"))
  expect_equal(levels$estimate[2], mean(predict(fit, transform(d, g = factor("b", levels(d$g))))), tolerance = 1e-9)
  matrices <- matbn(as.matrix(d[c("z", "x")]), d$y, size = 2, linear = d["x"], penalty = 1e-3, starts = 2, seed = 1)
  Z <- as.matrix(transform(d, x = 2)[c("z", "x")])
  expect_equal(partial_dependence(matrices, "x", 2)$estimate, mean(predict(matrices, Z, linear = Z[, "x", drop = FALSE])), tolerance = 1e-9)
  straight <- lm(y ~ x + z, d, weights = w)
  found <- partial_dependence(matbn(y ~ x + z, d, weights = w), "x", 2)
  row <- c(1, 2, weighted.mean(d$z, d$w))
  expect_equal(found$std.error, sqrt(drop(row %*% vcov(straight) %*% row)), tolerance = 1e-9)
})

test_that("tests of variables and of nested fits are lm's where there is no net", {
  needs_python()
  d <- panel()
  fit <- matbn(y ~ x * z + g, d, weights = w)
  straight <- lm(y ~ x * z + g, d, weights = w)
  found <- wald_test(fit)
  expect_equal(rownames(found), c("x", "z", "g"))
  expect_equal(found["g", "F"], drop1(straight, ~ g, test = "F")["g", "F value"], tolerance = 1e-9)
  both <- anova(lm(y ~ z + g, d, weights = w), straight)
  expect_equal(found["x", "F"], both$F[2], tolerance = 1e-9)
  expect_equal(found["x", "Pr(>F)"], both$`Pr(>F)`[2], tolerance = 1e-9)
  expect_equal(anova(fit), found)
  small <- matbn(y ~ z + g, d, weights = w)
  expect_equal(as.data.frame(anova(small, fit)), as.data.frame(both), tolerance = 1e-9, ignore_attr = TRUE)
  expect_equal(anova(lm(y ~ x, d), lm(y ~ x + z, d))$F[2], anova(matbn(y ~ x, d), lm(y ~ x + z, d))$F[2], tolerance = 1e-9)
  net <- matbn(y ~ x + net(z, size = 2), d, penalty = 1e-3, starts = 2, seed = 1)
  expect_output(print(anova(matbn(y ~ x, d), net)), "Numbers of nodes differ")
  expect_output(print(summary(net)), "Wald tests that a variable has no effect.*The data determine 8 of 8 parameters")
  expect_equal(attr(wald_test(net), "rank"), c(8, 8))
})

test_that("fits as data frames have lm's numbers", {
  needs_python()
  skip_if_not_installed("generics")
  d <- panel()
  fit <- matbn(y ~ x + g, d, weights = w)
  straight <- lm(y ~ x + g, d, weights = w)
  frame <- generics::tidy(fit, conf.int = TRUE, conf.level = 0.9)
  table <- summary(straight)$coefficients[frame$term, ]
  expect_equal(frame$std.error, unname(table[, 2]), tolerance = 1e-9)
  expect_equal(frame$p.value, unname(table[, 4]), tolerance = 1e-7)
  expect_equal(unname(as.matrix(frame[6:7])), unname(confint(straight, frame$term, level = 0.9)), tolerance = 1e-9)
  whole <- generics::glance(fit)
  expect_equal(whole$sigma, sigma(straight), tolerance = 1e-10)
  expect_equal(c(whole$AIC, whole$BIC, whole$logLik), c(AIC(straight), BIC(straight), logLik(straight)), tolerance = 1e-10)
  expect_equal(whole$r.squared, summary(straight)$r.squared, tolerance = 1e-10)
  rows <- generics::augment(fit)
  expect_equal(rows$.hat, unname(hatvalues(straight)), tolerance = 1e-9)
  expect_equal(rows$.std.resid, unname(rstandard(straight)), tolerance = 1e-8)
  expect_equal(rows[c("x", "g", "y")], d[c("x", "g", "y")])
})

test_that("nnet's Hessian is the exact one of the folded net", {
  needs_python()
  skip_if_not_installed("nnet")
  set.seed(2)
  Z <- matrix(rnorm(120), 60, dimnames = list(NULL, c("a", "b")))
  y <- plogis(2 * Z[, 1] - Z[, 2]) + rnorm(60) / 5
  fit <- matbn(y ~ net(a, b, size = 2), data.frame(y, Z), activation = "logistic", penalty = 1e-3, seed = 1)
  net <- as_nnet(fit)
  w <- net$wts
  # nnet's order: bias and weights of each node, the output's bias and weights, then skipped layers.
  at <- list(Gamma1 = c(2, 3, 5, 6), beta = c(1, 4), Gamma2 = c(8, 9))
  hessian <- nnet::nnetHess(net, Z, matrix(y))[unlist(at), unlist(at)]
  exact <- sapply(1:8, function(k) {
    net_hessian_product(
      Z, y - w[7], matrix(w[at$Gamma1], 2), NULL, w[at$beta], w[at$Gamma2], direction = diag(8)[, k], activation = "logistic"
    )
  })
  expect_equal(unname(exact) * 60, unname(hessian), tolerance = 1e-9)
})

test_that("groups that the fit has not seen have effects from their outcomes", {
  needs_python()
  d <- panel()
  fit <- matbn(log(y + 9) ~ x + net(z, size = 2) | id + year, d, penalty = 1e-3, starts = 2, seed = 1)
  new <- d[1:6, ]
  new$id <- c(77, 77, 77, 88, 88, 3)
  new$y[3] <- NA
  found <- predict(fit, new, unseen = "estimate")
  zero <- predict(fit, new, unseen = "zero")
  left <- log(new$y + 9) - zero
  expect_equal(unname(found - zero), c(rep(mean(left[1:2]), 3), rep(mean(left[4:5]), 2), 0), tolerance = 1e-12)
  expect_equal(predict(fit, new[names(new) != "y"], unseen = "estimate", outcomes = log(new$y + 9)), found)
  se <- predict(fit, new, unseen = "estimate", se.fit = TRUE)$se.fit
  expect_true(all(se[1:3] > sqrt(df.residual(fit) / fit$N.counted) * fit$residual.norm / sqrt(df.residual(fit) * 2) * 0.9))
  expect_error(predict(fit, new[names(new) != "y"], unseen = "estimate"), "no outcome is known", class = "matbn_error")
  expect_error(predict(fit, transform(new, year = 1999), unseen = "estimate"), "more than one effect", class = "matbn_error")
})

test_that("a fit keeps the variables that effects need, wherever they were", {
  needs_python()
  d <- panel()
  d$x[3] <- NA
  fit <- matbn(y ~ x + net(z, size = 1), d, penalty = 1e-3, starts = 1, seed = 1)
  inside <- local({
    mine <- d
    x <- d$x
    matbn(y ~ x + net(z, size = 1), mine[names(mine) != "x"], penalty = 1e-3, starts = 1, seed = 1)
  })
  around <- with(d, local(matbn(y ~ x + net(z, size = 1), penalty = 1e-3, starts = 1, seed = 1)))
  expect_equal(marginal_effects(inside, c("x", "z")), marginal_effects(fit, c("x", "z")))
  expect_equal(marginal_effects(around, c("x", "z")), marginal_effects(fit, c("x", "z")))
  file <- tempfile()
  saveRDS(inside, file)
  expect_equal(wald_test(readRDS(file), c("x", "z"), "HC1"), wald_test(fit, c("x", "z"), "HC1"))
  expect_equal(nobs(matbn(y ~ x, d, weights = c(0, rep(1, 149)))), 148)
})

test_that("bad requests are refused with what to do", {
  needs_python()
  d <- panel()
  fit <- matbn(y ~ x + net(z, size = 2) | id, d, penalty = 1e-3, starts = 1, seed = 1)
  expect_error(marginal_effects(fit, "q"), "'q' is none of the fit's variables here, which are x, z", class = "matbn_error")
  expect_error(marginal_effects(lm(y ~ x, d)), "object is of class lm", class = "matbn_error")
  expect_error(partial_dependence(fit), "variable is missing; name one of x, z", class = "matbn_error")
  expect_error(partial_dependence(fit, "x", "a"), "at holds labels, but x in the fit's data numbers", class = "matbn_error")
  expect_error(partial_dependence(fit, "x", level = 95), "must lie between 0 and 1", class = "matbn_error")
  expect_error(vcov(fit, part = "gamma"), "gamma is not identified", class = "matbn_error")
  expect_error(confint(fit, "Gamma1[z,1]"), "is not identified", class = "matbn_error")
  expect_error(confint(fit, "q"), "there is no q among x", class = "matbn_error")
  expect_error(confint(fit, 99), "parm must be names or numbers of parameters, of which there are 1", class = "matbn_error")
  expect_error(predict(fit, d, interval = "both"), "interval: .*should be one of", class = "matbn_error")
  expect_error(predict(fit, d, interval = "confidence", level = 95), "must lie between 0 and 1", class = "matbn_error")
  expect_error(choose_fit(fit, criterion = "aic"), "criterion: .*should be one of", class = "matbn_error")
  expect_error(bootstrap(fit, function(one) NA_real_, 5), "nothing to bootstrap", class = "matbn_error")
  expect_equal(nrow(generics::tidy(matbn(y ~ 1 | id, d))), 0)
  expect_error(anova(fit, matbn(y ~ x, d[1:50, ])), "fit 2 is to other outcomes or rows", class = "matbn_error")
  expect_error(anova(fit, 3), "not a fit", class = "matbn_error")
  rectifier <- suppressWarnings(matbn(y ~ net(z, x, size = 1), d, activation = "relu", penalty = 1e-6, seed = 1))
  expect_error(vcov(rectifier, part = "nets"), "with relu a node's scale may pass", class = "matbn_error")
  expect_error(vcov(rectifier, part = "nets"), class = "matbn_InferenceError")
  expect_output(print(summary(rectifier)), "Std. Error")
  rectifier$data <- NULL
  expect_error(marginal_effects(rectifier), "does not hold the variables", class = "matbn_error")
})

test_that("what a variable does through the offset counts", {
  needs_python()
  set.seed(4)
  d <- data.frame(x = rnorm(50), z = rnorm(50))
  d$y <- 3 * d$x + sin(d$z) + rnorm(50) / 5
  for (formula in c(y ~ x + net(z, size = 1) + offset(2 * x), y ~ net(z, size = 1) + offset(2 * x))) {
    fit <- matbn(formula, d, penalty = 1e-3, starts = 1, seed = 1)
    means <- vapply(0:1, function(value) mean(predict(fit, transform(d, x = value))), 0)
    expect_equal(partial_dependence(fit, "x", 0:1)$estimate, means, tolerance = 1e-9)
    expect_equal(marginal_effects(fit, "x")$estimate, diff(means), tolerance = 1e-6)
    expect_equal("x" %in% rownames(wald_test(fit)), "x" %in% names(coef(fit))) # an offset has no parameters to test
  }
})
