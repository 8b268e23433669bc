# Values that nobody means, as expressions, so that a finding can be run again as it is printed.
pool <- as.list(expression(
  NULL, NA, NaN, Inf, -Inf, NA_real_, NA_integer_, NA_character_, TRUE, FALSE, 0, -1, 1, 2, 0.5, 1.5, 1e9, 1e300, 1e-300, -1e300, 2^31, 1L, -5L, 1i,
  numeric(0), character(0), logical(0), integer(0), list(), data.frame(), matrix(0, 0, 3), matrix(0, 3, 0), array(1, c(2, 2, 2)),
  "a", "", "wt", "iid", "cv", "all", "~ am", "~ am:cyl", " ", "\u00e9\u00df\U1F600", rawToChar(as.raw(c(0x66, 0xff))), `Encoding<-`("\xe9", "latin1"),
  strrep("x", 1e5), c("a", "b"), c("wt", "wt"), c(a = "b"), "a%sb%n", "{wt}", "\\", "a\nb",
  factor("a"), factor(c("x", NA)), factor(rep(1:2, 16)), ordered(1:32), cars$f, cars$name, cars$day, cars$day[1], Sys.time(), as.difftime(1, units = "days"), as.POSIXlt(Sys.time()),
  1:3, 1:31, 1:32, rep(1, 32), c(NA, 1:31), c(Inf, 1:31), seq(1e300, 2e300, length.out = 32), seq(1, 2, length.out = 32) * 1e-300, -(1:32), c(0, 1), rep(0, 32), 1:33, 32:1,
  c(1, NA), c(0.1, 0.9), -1:1, 5:1 / 0, matrix(1:4, 2), matrix("a", 2, 2), matrix(NA, 3, 2), matrix(1e200, 32, 3), matrix(1:96, 32), matrix(0, 32, 3), diag(3), diag(32) * 1i, X, X[0, ], X[, 0], X[1, , drop = FALSE], t(X),
  cars, cars[0, ], cars[1, ], cars[1:2], cars[c(1, 1), ], as.list(cars), iris, mtcars[3:1, ], transform(cars, wt = as.character(wt)), transform(cars, wt = NA), transform(cars, am = 7), transform(cars, f = "new"), cars[rep(1, 40), ], table(1:3, 1:3),
  list(1), list(1, 2), list(NULL), list(a = 1), list(a = NULL, b = list()), list(id = cars$cyl), list(id = 1:3), list(X, X), list(wt = X), Reduce(function(a, b) list(a), 1:500, NULL), as.list(1:32), net, rep(list("a"), 32),
  function(x) x, function(...) NULL, function() stop("stopped"), function(x) stop("own words"), function(x) "a", function(x) NULL, function(x) NaN, function(fit) Inf, sum, print, quote,
  quote(a + b), quote(a), quote(f()), expression(a, b), y ~ x, ~a, ~am, ~cyl, ~am:cyl, ~am + cyl, ~1, ~., ~log(cyl), mpg ~ wt, mpg ~ ., . ~ ., . ~ . | cyl, ~ net(wt, size = 2), mpg ~ net(wt, size = 0), ~nothing, ~ a | b, ~ "a", a ~ b ~ c,
  new.env(), globalenv(), emptyenv(), baseenv(), methods::getClass("numeric"), methods::new("numeric"), as.raw(1:3), raw(0), structure(1, class = "strange"), structure(list(), class = "strange"), structure(list(), class = "data.frame"),
  structure(1:32, dim = 32L), structure(1:4, class = "integer64"), as.name("x"), .GlobalEnv, numeric_version("1.2"), fit, plain, gradient, layer, layer$cache, draws, choice, summary(plain), lm(mpg ~ wt, cars), lm, NROW, is.null, stdin(), bitwAnd(5L, 3L), I(1), I(list(1)),
  max, 1e-5, 1 - 1e-17, 1 + 1e-15, 100, 1:1000, rnorm(32), runif(3), letters, LETTERS[1:3], pi, T, noquote("a"), as.hexmode(3), 1:2 + 0i, bquote(.(1)), na.omit, na.fail, na.exclude, na.pass, "lm", "joint", "adam", "lbfgs", "HC3", "nets", "network", "columns", "estimate", "average", "zero", "none", "plm", "gcv", "bic", "prediction",
  mpg ~ net(wt, size = 1e9), mpg ~ net(wt, size = 2, size = 3), mpg ~ net(day, size = 1), mpg ~ net(f, name, size = 1), name ~ wt, mpg ~ wt | nothing, mpg ~ wt | f + am, mpg ~ I(wt / 0), mpg ~ wt | wt | f, ~ net(wt),
  mpg ~ (wt | f), mpg ~ 0 + wt, mpg ~ offset(wt) + net(hp, size = 1), day ~ wt, mpg ~ poly(wt, 40), mpg ~ I(mpg) | name, cbind(mpg, wt) ~ hp, mpg ~ net(wt, size = 1, basis = diag(3)), mpg ~ net(wt, hp, size = 2, mask = matrix(0, 2, 2)), I(mpg * 1e200) ~ wt + net(hp, size = 1), I(mpg * 1e-200) ~ net(hp, size = 1), I(mpg + 1e15) ~ net(hp, size = 1), mpg ~ net(I(wt * 1e200), size = 1), 1 ~ wt, NULL ~ wt, mpg ~ NULL
))
