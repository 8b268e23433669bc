# Cross-validation, choices and the bootstrap.

chicks <- transform(ChickWeight, Chick = as.character(Chick))

test_that("folds, groups and blocks of time are predicted from the others", {
  needs_python()
  fit <- matbn(weight ~ Diet + Time, chicks)
  found <- cross_validate(fit, folds = 4, seed = 3)
  for (k in 1:2) {
    rest <- lm(weight ~ Diet + Time, chicks, subset = found$fold != k)
    out <- found$fold == k
    expect_equal(unname(found$predictions[out]), unname(predict(rest, chicks[out, ])), tolerance = 1e-9)
  }
  expect_equal(found$mse, mean((chicks$weight - found$predictions)^2), tolerance = 1e-10)
  groups <- cross_validate(fit, by = ~ Chick, seed = 3)
  expect_true(all(tapply(groups$fold, chicks$Chick, function(fold) length(unique(fold))) == 1L))
  ahead <- cross_validate(fit, time = ~ Time, folds = 3, seed = 3)
  expect_true(all(is.na(ahead$fold[chicks$Time < 5])))
  expect_output(print(ahead), "3 folds")
  same <- cross_validate(fit, by = chicks$Chick, seed = 3)
  expect_equal(same$mse, groups$mse)
  set.seed(9)
  one <- cross_validate(fit)
  set.seed(9)
  expect_equal(cross_validate(fit)$mse, one$mse)
})

test_that("choices keep the formula, and what cannot be chosen is refused", {
  needs_python()
  fit <- matbn(weight ~ net(Time, size = 1) + Diet:Time | Chick, chicks, penalty = 1e-4, seed = 1)
  found <- choose_fit(fit, sizes = 1:2, penalties = c(1e-4, 1e-1), by = ~ Chick, unseen = "estimate", starts = 3, seed = 1)
  expect_equal(nrow(found$table), 4)
  best <- found$table[which.min(found$table$score), ]
  expect_equal(length(found$fit$nets[[1]]$gamma), best$size)
  expect_equal(found$fit$penalty, best$penalty)
  expect_equal(formula(found$fit), eval(bquote(weight ~ net(Time, size = .(best$size)) + Diet:Time | Chick)), ignore_attr = TRUE)
  again <- cross_validate(found$fit, by = ~ Chick, unseen = "estimate", starts = 3, seed = 1)
  expect_equal(again$mse, best$score, tolerance = 1e-3)
  bic <- choose_fit(fit, sizes = 1:2, criterion = "bic", seed = 1)
  expect_equal(min(bic$table$score), BIC(bic$fit), tolerance = 1e-5)
  expect_output(print(bic), "BIC")
  expect_error(choose_fit(fit, sizes = "a"), "sizes is of class character", class = "matbn_error")
  expect_error(cross_validate(fit, by = "Chick"), "by has 1 labels, but the fit 578 rows", class = "matbn_error")
  expect_error(cross_validate(fit, by = ~ nobody), "neither an effect nor a column", class = "matbn_error")
  expect_error(cross_validate(fit, by = ~ Chick, time = ~ Time), "both given", class = "matbn_error")
  expect_error(choose_fit(matbn(weight ~ Time, chicks), 1:2), "has no net", class = "matbn_error")
})

test_that("the bootstrap's errors are the sandwich's, and own statistics see whole fits", {
  needs_python()
  fit <- matbn(weight ~ Diet:Time + net(Time, size = 1) | Chick, chicks, penalty = 1e-4, starts = 3, seed = 1)
  found <- bootstrap(fit, by = ~ Chick, replicates = 200, seed = 1)
  expect_equal(colnames(found$draws), c(names(coef(fit)), "effect of Time"))
  delta <- c(sqrt(diag(vcov(fit, ~ Chick))), marginal_effects(fit, vcov = ~ Chick)$std.error)
  expect_equal(unname(sqrt(diag(vcov(found)))), unname(delta), tolerance = 0.25)
  expect_output(print(found), "200 replicates of 50 drawn")
  expect_equal(dim(confint(found, level = 0.9)), c(5L, 2L))
  set.seed(4)
  before <- .Random.seed
  own <- bootstrap(fit, function(one) c(r = one$r.squared, n = sum(weights(one)), t = coef(one)[[1]]), 20, by = ~ Chick, seed = 2)
  expect_identical(.Random.seed, before)
  # A replicate is the fit to copies of the chicks that were drawn.
  set.seed(2)
  drawn <- unique(chicks$Chick)[sample.int(50, replace = TRUE)]
  copies <- do.call(rbind, lapply(seq_along(drawn), function(k) {
    transform(chicks[chicks$Chick == drawn[k], ], Chick = paste(k, drawn[k]))
  }))
  direct <- matbn(weight ~ Diet:Time + net(Time, size = 1) | Chick, copies, penalty = fit$penalty, starts = 5, seed = 1)
  expect_equal(unname(own$draws[1, ]), c(direct$r.squared, nrow(copies), coef(direct)[[1]]), tolerance = 1e-4)
  inside <- bootstrap(fit, function(one) c(predict(one, chicks[1:2, ]), nobs(one), summary(one)$rmse, AIC(one)), 4, seed = 1)
  expect_true(any(is.finite(inside$draws)))
  expect_error(bootstrap(fit, "coef"), "statistic must be a function", class = "matbn_error")
  expect_error(bootstrap(fit, replicates = 0), "replicates must be a whole number", class = "matbn_error")
  expect_error(bootstrap(fit, function(one) "a", 3), "must return numbers", class = "matbn_error")
})

test_that("predictions' errors are the bootstrap's within its noise", {
  needs_python()
  set.seed(3)
  d <- data.frame(x = rnorm(300), z = rnorm(300))
  d$y <- d$x + tanh(2 * d$z) + rnorm(300) * (0.3 + 0.3 * abs(d$z))
  fit <- matbn(y ~ x + net(z, size = 1), d, penalty = 1e-4, starts = 3, seed = 1)
  new <- data.frame(x = c(0, 1, -1, 0), z = c(0, -1, 2, 0.7))
  found <- bootstrap(fit, function(one) predict(one, new), replicates = 400, seed = 5)
  se <- predict(fit, new, se.fit = TRUE, vcov = "HC3")$se.fit
  expect_true(all(abs(apply(found$draws, 2, sd) / se - 1) < 4 / sqrt(2 * 400) + 0.05))
})

test_that("an interrupt keeps the replicates that had ended", {
  needs_python()
  skip_on_os("windows")
  fit <- matbn(weight ~ Time, chicks)
  press_at <- function(number) {
    calls <- 0
    function(one) {
      calls <<- calls + 1
      if (calls == number) {
        tools::pskill(Sys.getpid(), tools::SIGINT)
        Sys.sleep(5)
      }
      coef(one)
    }
  }
  whole <- bootstrap(fit, coef, replicates = 6, seed = 2)
  expect_warning(
    found <- bootstrap(fit, press_at(5), replicates = 6, seed = 2), "interrupted when 3 of 6", # the first call is the fit's
    class = "matbn_ConvergenceWarning"
  )
  expect_identical(found$draws, whole$draws[1:3, ])
  expect_output(print(found), "3 replicates")
  expect_identical(tryCatch(bootstrap(fit, press_at(3), replicates = 6), interrupt = function(e) "went on"), "went on")
})
