test_that("standard errors are those of lm, sandwich and plm in the fixtures", {
  needs_python()
  path <- file.path("..", "fixtures", "covariances.csv")
  skip_if_not(file.exists(path))
  reference <- read.csv(path, colClasses = c(rep("character", 7), "numeric"), na.strings = "NaN")
  formulas <- list(
    produc = log(gsp) ~ log(pcap) + log(pc) + log(emp) + unemp, grunfeld = inv ~ value + capital,
    emplUK = log(emp) ~ log(wage) + log(capital)
  )
  cases <- unique(reference[c("dataset", "effect", "weights")])
  for (k in seq_len(nrow(cases))) {
    case <- cases[k, ]
    data <- read.csv(file.path("..", "fixtures", paste0(case$dataset, ".csv")))
    data$late <- data$year > median(data$year)
    formula <- formulas[[case$dataset]]
    if (nzchar(case$effect)) formula[[3]] <- call("|", formula[[3]], str2lang(case$effect))
    data$w <- if (nzchar(case$weights)) data[[case$weights]] else 1
    fit <- matbn(formula, data, weights = w)
    rows <- merge(case, reference)
    for (group in split(rows, paste(rows$peer, rows$type, rows$cluster))) {
      peer <- group$peer[1]
      correction <- if (grepl("none", peer)) "none" else if (peer == "plm") "plm" else "sandwich"
      kind <- if (nzchar(group$cluster[1])) as.formula(paste("~", group$cluster[1])) else group$type[1]
      V <- vcov(fit, kind, correction = correction)
      found <- suppressWarnings(sqrt(diag(V)))[group$name]
      expect_equal(unname(found), group$value, tolerance = 1e-8, info = paste(case, collapse = " "))
    }
  }
})

test_that("without nets all is as lm has it", {
  needs_python()
  set.seed(5)
  d <- transform(mtcars, w = runif(32, 0.5, 2))
  for (formulas in list(
    list(mpg ~ wt + qsec, mpg ~ wt + qsec), list(mpg ~ wt + qsec | cyl, mpg ~ wt + qsec + factor(cyl)),
    list(mpg ~ wt | cyl + gear, mpg ~ wt + factor(cyl) + factor(gear))
  )) {
    fit <- matbn(formulas[[1]], d, weights = w)
    ref <- lm(formulas[[2]], d, weights = w)
    slopes <- setdiff(names(coef(fit)), "(Intercept)")
    expect_equal(summary(fit)$coefficients[slopes, ], summary(ref)$coefficients[slopes, ], tolerance = 1e-8, ignore_attr = TRUE)
    expect_equal(confint(fit, slopes, level = 0.9), confint(ref, slopes, level = 0.9), tolerance = 1e-8, ignore_attr = TRUE)
    expect_equal(predict(fit, se.fit = TRUE)$se.fit, predict(ref, se.fit = TRUE)$se.fit, tolerance = 1e-8)
    expect_equal(
      predict(fit, d[1:9, ], interval = "confidence"), predict(ref, d[1:9, ], interval = "confidence"),
      tolerance = 1e-8, ignore_attr = TRUE
    )
    new <- suppressWarnings(predict(ref, d[1:9, ], interval = "prediction", weights = 1))
    expect_equal(predict(fit, d[1:9, ], interval = "prediction"), new, tolerance = 1e-8, ignore_attr = TRUE)
    for (measure in list(df.residual, deviance, AIC, BIC, nobs)) expect_equal(measure(fit), measure(ref), tolerance = 1e-10)
    expect_equal(as.numeric(logLik(fit)), as.numeric(logLik(ref)), tolerance = 1e-10)
  }
})

test_that("a net's identified parameters have errors, and bad requests are refused", {
  needs_python()
  fit <- matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, mtcars, starts = 2, seed = 1, penalty = 1e-2)
  V <- vcov(fit, part = "all")
  expect_equal(rownames(V), c(
    "A[wt,1]", "A[hp,1]", "c[1]", "A[wt,2]", "A[hp,2]", "c[2]", "Gamma2[1]", "Gamma2[2]", "qsec"
  ))
  expect_true(all(diag(V) > 0))
  expect_equal(vcov(fit, "HC1")[1, 1], vcov(fit, "HC0")[1, 1] * 32 / df.residual(fit))
  expect_equal(dim(vcov(fit, ~gear)), c(1L, 1L))
  bounds <- predict(fit, mtcars[1:3, ], interval = "prediction", vcov = ~cyl)
  expect_true(all(bounds[, "lwr"] < bounds[, "fit"] & bounds[, "fit"] < bounds[, "upr"]))
  new <- transform(mtcars[1:2, ], cyl = 5)
  expect_error(predict(fit, new), "unseen = \"average\" or \"zero\" predicts them", class = "matbn_ArgumentError")
  apart <- predict(fit, new, unseen = "average") - predict(fit, new, unseen = "zero")
  expect_equal(unname(apart), rep(mean(fit$effects$cyl[as.character(mtcars$cyl)]), 2))
  again <- unserialize(serialize(fit, NULL))
  expect_equal(vcov(again), vcov(fit))
  expect_error(vcov(fit, "HC9"), "vcov is 'HC9'", class = "matbn_ArgumentError")
  expect_error(vcov(fit, ~nothing), "neither an effect nor a column", class = "matbn_ArgumentError")
  expect_error(vcov(fit, correction = "stata"), "correction is 'stata'", class = "matbn_ArgumentError")
  expect_error(vcov(fit, y ~ id), "to the right of ~ alone, as in ~ id", class = "matbn_ArgumentError")
})
