# Degrees of freedom and what follows from them: lm's without nets and with dummies for effects.
test_that("without nets all measures are lm's", {
  needs_python()
  d <- transform(mtcars, w = seq(0.5, 2, length.out = 32), cyl = factor(cyl), gear = factor(gear))
  d$w[5] <- 0
  for (formulas in list(
    list(mpg ~ wt + qsec, mpg ~ wt + qsec), list(mpg ~ wt + qsec | cyl, mpg ~ wt + qsec + cyl),
    list(mpg ~ wt | cyl + gear, mpg ~ wt + cyl + gear)
  )) {
    for (weights in list(NULL, d$w)) {
      d$own <- if (is.null(weights)) rep(1, 32) else weights
      fit <- matbn(formulas[[1]], d, weights = own)
      ref <- lm(formulas[[2]], d, weights = own)
      for (measure in list(sigma, df.residual, nobs, deviance, AIC, BIC)) expect_equal(measure(fit), measure(ref), tolerance = 1e-10)
      expect_equal(logLik(fit), logLik(ref), tolerance = 1e-10, ignore_attr = TRUE)
      expect_equal(attr(logLik(fit), "df"), attr(logLik(ref), "df"))
      expect_equal(summary(fit)$sigma, sigma(ref), tolerance = 1e-10)
      one <- generics::glance(fit)
      expect_equal(
        unlist(one[c("r.squared", "sigma", "df.residual", "nobs", "deviance")]),
        c(summary(ref)$r.squared, sigma(ref), df.residual(ref), nobs(ref), deviance(ref)), tolerance = 1e-10, ignore_attr = TRUE
      )
    }
  }
})

test_that("with nets all measures count effective degrees of freedom, wherever they are asked for", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, mtcars, starts = 1, seed = 1, penalty = 1e-3)
  expect_equal(df.residual(fit), 32 - fit$edf)
  expect_equal(sigma(fit), sqrt(sum(residuals(fit)^2) / (32 - fit$edf)))
  expect_equal(sigma(fit), predict(fit, se.fit = TRUE)$residual.scale, tolerance = 1e-6)
  expect_equal(generics::glance(fit)$sigma, sigma(fit))
  expect_equal(stats::AIC(fit), 2 * (fit$edf + 1) - 2 * as.numeric(logLik(fit)))
})
