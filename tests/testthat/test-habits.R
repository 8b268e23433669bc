# What R drops in silence, `...` that nothing uses, is refused; what other packages' users write has its answer.
cars <- transform(mtcars, am = factor(am))
a_fit <- function() matbn(mpg ~ qsec + net(wt, hp, size = 2) | cyl, cars, starts = 1, seed = 1, penalty = 1e-2)
refused <- function(code, message) expect_error(code, message, class = "matbn_ArgumentError")

# Methods and exported functions that hand `...` on as a whole: to the method that is chosen, or to data frames' own.
hands_on <- c("matbn", "[.matbn_claims")

with_dots <- function() {
  space <- asNamespace("matbn")
  methods <- get(".__S3MethodsTable__.", space)
  registered <- getNamespaceInfo(space, "S3methods")
  ours <- mget(unique(c(getNamespaceExports(space), registered[, 3])), space, ifnotfound = list(NULL))
  Filter(function(f) is.function(f) && "..." %in% names(formals(f)), ours)
}

test_that("every function and method with dots refuses what it does not know", {
  needs_python()
  fit <- a_fit()
  draws <- bootstrap(fit, function(fit) coef(fit), replicates = 2, seed = 1)
  gradient <- net_gradient(diag(3), 1:3, diag(3), 1:3, 1:3, 1:3)
  objects <- list(
    matbn = fit, matbn_bootstrap = draws, matbn_choice = choose_fit(fit, penalties = c(0.01, 0.1), starts = 1, folds = 2, seed = 1),
    matbn_validation = cross_validate(fit, starts = 1, folds = 2, seed = 1), matbn_dependence = partial_dependence(fit, "wt", at = 2:3),
    net_gradient = gradient, matbn_cache = bn_forward(diag(3), 1:3, 1:3)$cache, matbn_claims = claims(), forum_checks = forum_checks(),
    gradient_check = check_gradient(function(x) sum(x), function(x) x, 1), matbn_config = matbn_config(), summary.matbn = summary(fit)
  )
  checked <- setdiff(names(with_dots()), hands_on)
  expect_gt(length(checked), 30)
  for (name in checked) {
    # The longest class that the method's name ends in; matbn's own methods take a formula and arrays.
    classes <- names(objects)[endsWith(name, paste0(".", names(objects)))]
    given <- switch(name,
      matbn.formula = list(mpg ~ wt, cars), matbn.default = list(cars$wt, cars$mpg, 1), objects[classes[which.max(nchar(classes))]]
    )
    names(given) <- NULL
    f <- get(name, asNamespace("matbn"))
    for (unknown in c("zzz", "cluster_", "TYPE", "_")) {
      error <- tryCatch(do.call(f, c(given, stats::setNames(list(1), unknown))), error = identity)
      expect_s3_class(error, "matbn_ArgumentError")
      expect_match(conditionMessage(error), paste0("'", unknown, "' is no argument of .*\\(\\)"), info = name)
    }
    # As many unnamed arguments as there are places, and one more; those of anova() are fits.
    places <- length(setdiff(names(formals(f)), "..."))
    if (name == "anova.matbn") next
    fillers <- if (name == "update.matbn") list(. ~ ., 1) else rep(list(quote(expr = )), places - length(given))
    error <- tryCatch(do.call(f, c(given, fillers, list(1))), error = identity)
    expect_s3_class(error, "matbn_ArgumentError")
    expect_match(conditionMessage(error), "too many arguments without a name", info = name)
  }
})

test_that("arguments are written in full", {
  needs_python()
  fit <- a_fit()
  refused(confint(fit, leve = 0.5), "'leve' is no argument of confint.*did you mean level")
  refused(predict(fit, cars, se = TRUE), "write se.fit = TRUE")
  refused(predict(fit, cars, inter = "confidence"), "did you mean interval")
  refused(matbn(mpg ~ wt, cars, penal = 1), "did you mean penalty")
  refused(update(fit, penal = 1), "did you mean penalty")
  refused(update(fit, . ~ ., cars), "too many arguments without a name")
  refused(update(fit, . ~ ., evaluate = FALSE, weigths = 1), "did you mean weights")
  expect_equal(confint(fit, "qsec", 0.5), confint(object = fit, parm = "qsec", level = 0.5))
})

test_that("habits from other packages are told what to write here", {
  needs_python()
  fit <- a_fit()
  refused(summary(fit, cluster = ~gear), "'cluster' is no argument of summary\\(\\) of a fit.*write vcov = ~gear$")
  refused(vcov(fit, type = "HC3"), "write vcov = \"HC3\"$")
  refused(summary(fit, robust = TRUE), "write vcov = \"HC3\"")
  refused(predict(fit, cars, cluster = "gear"), "write vcov = ~ id")
  refused(confint(fit, conf.level = 0.9), "write level = 0.9")
  refused(generics::tidy(fit, level = 0.9), "write conf.level = 0.9")
  refused(generics::augment(fit, newdata = cars), "predict\\(fit, newdata\\)")
  refused(generics::augment(fit, se_fit = TRUE), "predict\\(fit, se.fit = TRUE\\)")
  refused(predict(fit, data = cars), "write newdata = cars")
  refused(predict(fit, cars, type = "response"), "leave it out")
  refused(residuals(fit, type = "pearson"), "standardised")
  refused(fitted(fit, newdata = cars), "predict\\(fit, newdata\\)")
  refused(anova(fit, fit, test = "Chisq"), "by F")
  refused(matbn(mpg ~ net(wt, size = 1), cars, decay = 0.1), "write penalty = 0.1")
  refused(matbn(mpg ~ net(wt), cars, size = 2), "net\\(z, size = 4\\)")
  refused(matbn(mpg ~ wt, cars, cluster = ~gear), "give summary\\(\\)")
  wrapper <- function(...) summary(fit, ...)
  refused(wrapper(cluster = ~gear), "write vcov = ")
})

test_that("what R itself passes on is let through", {
  needs_python()
  fit <- matbn(mpg ~ wt + I(2 * wt), cars)
  expect_output(print(list(fit), digits = 3, quote = FALSE), "Linear part")
  expect_equal(nobs(fit, use.fallback = TRUE), 32)
  # car's linearHypothesis() asks for what is not NA in this way.
  expect_equal(dimnames(vcov(fit, complete = FALSE)), rep(list(c("(Intercept)", "wt")), 2))
  expect_equal(vcov(fit, complete = FALSE), vcov(lm(mpg ~ wt, cars)), tolerance = 1e-10)
  expect_equal(coef(fit, complete = FALSE), coef(lm(mpg ~ wt, cars)), tolerance = 1e-10)
})
