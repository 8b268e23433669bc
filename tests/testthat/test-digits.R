# NIST's certified sets in R, beside lm; the data are those of tests/regression/test_digits.py.

strd <- function(name) {
  path <- file.path("..", "fixtures", "strd", paste0(name, ".csv"))
  skip_if_not(file.exists(path), "the fixtures are in the repository alone")
  read.csv(path)
}

model_of <- function(name, data) {
  degree <- c(Norris = 1, Pontius = 2, Filip = 10, Wampler1 = 5, Wampler2 = 5, Wampler3 = 5, Wampler4 = 5, Wampler5 = 5)[name]
  right <- if (name %in% c("NoInt1", "NoInt2")) "0 + x"
  else if (name == "Longley") setdiff(names(data), "y")
  else c("x", if (degree > 1) paste0("I(x^", 2:degree, ")"))
  as.formula(paste("y ~", paste(right, collapse = " + ")))
}

# The least of the log relative errors; absolute ones where the certified value is 0.
digits_of <- function(found, certified) {
  error <- abs(found - certified) / ifelse(certified == 0, 1, abs(certified))
  min(16, -log10(error))
}

test_that("certified sets keep the digits that float64 allows, and at least lm's", {
  certified <- strd("certified")
  for (name in unique(certified$set)) {
    data <- strd(name)
    values <- certified[certified$set == name, ]
    formula <- model_of(name, data)
    found <- list(
      matbn = summary(matbn(formula, data, tol = 1e-10)),
      lm = suppressWarnings(summary(lm(formula, data, tol = 1e-10)))
    )
    kinds <- sub("[0-9]+$", "", values$quantity)
    digits <- vapply(found, function(s) {
      r_squared <- if (is.null(s$r.squared)) NA else s$r.squared
      c(
        b = digits_of(s$coefficients[, 1L], values$value[kinds == "b"]),
        se = digits_of(s$coefficients[, 2L], values$value[kinds == "se"]),
        sigma = digits_of(s$sigma, values$value[kinds == "sigma"]),
        r_squared = digits_of(r_squared, values$value[kinds == "r_squared"])
      )
    }, numeric(4L))
    expect_gte(min(digits[, "matbn"]), if (name == "Filip") 7 else 9, label = name)
    expect_true(all(digits[, "matbn"] >= pmin(digits[, "lm"], 13) - 0.5), label = name)
  }
})

test_that("a column that nearly depends on others is dropped with a warning, as is told where digits were lost", {
  data <- strd("Filip")
  formula <- model_of("Filip", data)
  expect_warning(fit <- matbn(formula, data), "I\\(x\\^10\\): dropped .* nearly", class = "matbn_CollinearityWarning")
  expect_true(is.na(coef(fit)[["I(x^10)"]]))
  expect_identical(sum(is.na(coef(lm(formula, data)))), 1L)
  expect_no_warning(fit <- matbn(mpg ~ wt + I(2 * wt) | cyl, mtcars))
  expect_match(fit$messages, "I\\(2 \\* wt\\): dropped", all = FALSE)
  expect_warning(matbn(y ~ wt, transform(mtcars, y = mpg + 1e16)), "y is stored in steps", class = "matbn_PrecisionWarning")
  expect_error(matbn(mpg ~ wt, mtcars, tol = 1), "tol is 1", class = "matbn_error")
})

test_that("a fit without an intercept is lm's", {
  for (formula in list(mpg ~ 0 + wt, mpg ~ wt - 1, mpg ~ 0 + factor(cyl) + wt, mpg ~ 0 + factor(cyl):wt)) {
    fit <- matbn(formula, mtcars)
    expected <- lm(formula, mtcars)
    expect_equal(coef(fit), coef(expected), tolerance = 1e-12)
    expect_equal(fit$r.squared, summary(expected)$r.squared, tolerance = 1e-12)
    expect_equal(unname(vcov(fit)), unname(vcov(expected)), tolerance = 1e-11)
    new <- mtcars[3:1, ]
    predicted <- lapply(list(fit, expected), predict, new, interval = "prediction", se.fit = TRUE)
    expect_equal(predicted[[1L]]$fit, predicted[[2L]]$fit, tolerance = 1e-11)
    expect_equal(unname(predicted[[1L]]$se.fit), unname(predicted[[2L]]$se.fit), tolerance = 1e-11)
    expect_equal(as.numeric(logLik(fit)), as.numeric(logLik(expected)), tolerance = 1e-12)
  }
  fit <- matbn(mpg ~ 0 + net(wt, size = 1), mtcars, penalty = 1e-5, seed = 1, starts = 2)
  expect_length(coef(fit), 0L)
  expect_equal(predict(fit, mtcars), fitted(fit), tolerance = 1e-12)
  X <- as.matrix(mtcars["wt"])
  arrays <- matbn(X, mtcars$mpg, 1, penalty = 1e-5, seed = 1, starts = 2, intercept = FALSE)
  expect_equal(unname(fitted(arrays)), unname(fitted(fit)), tolerance = 1e-8)
  expect_equal(unname(predict(arrays, X)), unname(fitted(arrays)), tolerance = 1e-12)
  bent <- matbn(X, mtcars$mpg, 1, linear = mtcars["hp"], penalty = 1e-3, seed = 1, starts = 1, intercept = FALSE)
  expect_named(coef(bent), "hp")
  expect_s3_class(wald_test(bent), "anova")
  expect_equal(unname(predict(bent, X, linear = mtcars["hp"])), unname(fitted(bent)), tolerance = 1e-12)
})

test_that("results move with the outcomes' units, be they tiny or far from 0", {
  fits <- function(y) {
    data <- data.frame(mtcars[c("wt", "hp", "cyl")], y = y)
    lapply(c(y ~ wt, y ~ wt + hp), matbn, data)
  }
  a <- fits(mtcars$mpg)
  for (case in list(c(2^-540, 0, 1e-12), c(2^-990, 0, 1e-12), c(1, 1e9, 1e-6))) {
    b <- fits(case[1L] * mtcars$mpg + case[2L])
    same <- function(f) expect_equal(f(b[[2L]]), f(a[[2L]]), tolerance = case[3L])
    same(function(fit) summary(fit)$coefficients[-1L, 3L])
    same(function(fit) fit$r.squared)
    same(function(fit) logLik(fit) + if (identical(fit, b[[2L]])) 32 * log(case[1L]) else 0)
    expect_equal(summary(b[[2L]])$sigma / case[1L], summary(a[[2L]])$sigma, tolerance = case[3L])
    expect_equal(anova(b[[1L]], b[[2L]])$F, anova(a[[1L]], a[[2L]])$F, tolerance = 10 * case[3L])
    width <- function(fit) diff(predict(fit, mtcars[1L, ], interval = "prediction")[1L, 2:3])
    expect_equal(width(b[[2L]]) / case[1L], width(a[[2L]]), tolerance = 1e3 * case[3L])
  }
})
