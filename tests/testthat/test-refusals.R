# What cannot be fitted is refused in words that name it; what can be, but hardly as meant, has a warning or a note.
cars <- transform(
  mtcars, name = rownames(mtcars), f = factor(cyl), one = factor("a"), const = 5, inf = c(Inf, wt[-1]), nan = c(NaN, wt[-1]),
  unit = 1:32
)
refused <- function(code, message) expect_error(code, message, class = "matbn_error")

test_that("formulas that make no sense are refused", {
  needs_python()
  refused(matbn(mpg ~ net(wt), cars), "has no size")
  refused(matbn(mpg ~ net(size = 2), cars), "has no inputs")
  refused(matbn(mpg ~ net(1, size = 2), cars), "has no inputs")
  refused(matbn(mpg ~ net(wt, size = 2, rate = 1), cars), "'rate' is no option")
  refused(matbn(mpg ~ net(wt, size = missing_here), cars), "missing_here")
  refused(matbn(mpg ~ wt - net(hp, size = 1), cars), "can only be added")
  refused(matbn(mpg ~ wt - offset(hp), cars), "subtracts an offset")
  refused(matbn(mpg ~ net(offset(hp), wt, size = 1), cars), "has an offset")
  refused(matbn(mpg ~ ., cars), "has a dot")
  refused(matbn(~wt, cars), "must have the form")
  refused(matbn(mpg ~ wt | cyl:am, cars), "no name of a variable")
  refused(matbn(mpg ~ wt | cyl - am, cars), "subtracts the fixed effect am")
  refused(matbn(mpg ~ wt || cyl, cars), "has \\|\\|; fixed effects stand after one \\|")
  for (formula in list(mpg ~ (1 | cyl), mpg ~ wt + (wt || cyl), mpg ~ wt:(1 | cyl), mpg ~ net((1 | cyl), size = 1))) {
    refused(matbn(formula, cars), "which is how random effects are written, and matbn has none; fixed effects stand once")
  }
  for (formula in list(mpg ~ log(net(wt, size = 1)), mpg ~ hp * net(wt, size = 1), mpg ~ net(net(wt, size = 1), size = 1))) {
    refused(matbn(formula, cars), "has a net inside of .*; nets are terms of their own")
  }
  refused(matbn(mpg ~ net(wt, size = 2, size = 3), cars), "has size twice; give it once")
  refused(matbn(mpg ~ net(wt, , size = 2), cars), "has a comma with nothing beside it")
  refused(matbn(mpg ~ net(wt, size = ), cars), "has a comma with nothing beside it")
  refused(matbn(mpg ~ net(wt, siz = 2), cars), "'siz' is no option")
  refused(matbn(mpg ~ net(wt, size = 2, label = 3), cars), "label must be one string")
  refused(matbn(mpg ~ net(wt, size = 1e9), cars), "1,000,000,000 nodes .* of memory or more, and there are .*; take a smaller size")
  refused(matbn(mpg ~ wt ~ hp, cars), "must have the form y ~ terms, with one ~")
  refused(matbn(mpg ~ 3, cars), "has a number in 3, but terms are columns")
  for (formula in list(mpg ~ "wt", mpg ~ NA, "a" ~ wt)) {
    refused(matbn(formula, cars), "neither a variable nor a function of some")
  }
})

test_that("dates are days, and what R's doubles cannot show is refused", {
  needs_python()
  dated <- transform(cars, day = as.Date("2024-02-20") + unit)
  dated$wide <- structure(dated$wt, class = "integer64")
  dated$days <- as.numeric(dated$day)
  for (pair in list(c(mpg ~ day, mpg ~ days), c(mpg ~ net(day, size = 1), mpg ~ net(days, size = 1)))) {
    fits <- lapply(pair, matbn, dated, penalty = 1e-3, starts = 1, seed = 1)
    expect_equal(fitted(fits[[1]]), fitted(fits[[2]]))
    refused(predict(fits[[1]], transform(dated, day = days)), "day is of class numeric, but held Date")
    refused(predict(fits[[2]], transform(dated, days = day)), "days is of class Date, but held numbers")
  }
  refused(matbn(day ~ wt, dated), "outcome day is of class Date")
  for (formula in list(mpg ~ wide, mpg ~ net(wide, size = 1), wide ~ hp, mpg ~ 1 | wide)) {
    refused(matbn(formula, dated), "wide is of class integer64")
  }
  refused(matbn(dated$wide, cars$mpg, size = 1), "is of class integer64")
  twice <- cbind(cars, mtcars["wt"])
  refused(matbn(mpg ~ wt, twice), "more than one column named 'wt'")
  expect_s3_class(matbn(mpg ~ hp, twice), "matbn")
  raw <- cars
  raw$raw <- as.raw(1:32)
  refused(matbn(mpg ~ wt | raw, raw), "the fixed effect raw: ")
})

test_that("matrices that cannot be used are named", {
  needs_python()
  X <- as.matrix(mtcars[c("wt", "hp")])
  y <- mtcars$mpg
  refused(matbn(X, y + 0i, size = 1), "y is complex, but must be real")
  refused(matbn(X + 0i, y, size = 1), "complex, but must be real")
  refused(matbn(X, y, size = 1, linear = X + 0i), "linear is complex")
  refused(matbn(X, y, size = 1, weights = y + 0i), "weights is complex")
  refused(matbn(X, y, size = 1, weights = as.Date("2020-01-01") + y), "weights is of class Date")
  refused(matbn(cbind(a = y, a = 1:32), y, size = 1), "more than one column named 'a'")
  refused(matbn(X, y, size = 1, effects = as.raw(1:32)), "the fixed effect effect: ")
  refused(matbn(X, y, size = 1, effects = mtcars$cyl, weights = as.numeric(mtcars$cyl > 4)), "all zero in groups of effect: 4;")
  refused(matbn(X, y, si = 1), "'si' is no argument of matbn\\(\\) with a matrix of inputs.*did you mean size")
  refused(matbn(mpg ~ wt, mtcars, w = hp), "'w' is no argument.*did you mean weights")
  refused(matbn(mpg ~ wt, mtcars, s = 1), "'s' is no argument.*did you mean subset")
  expect_length(matbn(X, y, size = 1, effects = list(), starts = 1, penalty = 1e-3)$effects, 0)
  refused(commutation(1e5, 1e5), "a commutation matrix, 1e\\+10 x 1e\\+10, would take .* of memory or more")
  line <- matbn(mpg ~ wt, mtcars)
  refused(bootstrap(line, function(fit) 1, replicates = 1e10), "replicates would take 80 GB")
  refused(bootstrap(line, function(fit) stop("boom"), replicates = 3), "statistic stops: boom")
})

test_that("no new rows have no predictions, in the forms of predict.lm", {
  needs_python()
  line <- stats::lm(mpg ~ wt + f, cars)
  for (formula in list(mpg ~ wt + f, mpg ~ wt + f + net(hp, size = 1) | am)) {
    fit <- matbn(formula, cars, starts = 1, penalty = 1e-3, seed = 1)
    expect_equal(unname(predict(fit, cars[0, ])), unname(predict(line, cars[0, ])))
    expect_equal(unname(predict(fit, cars[0, ], interval = "confidence")), unname(predict(line, cars[0, ], interval = "confidence")))
    expect_length(predict(fit, cars[0, ], se.fit = TRUE)$se.fit, 0)
    lacking <- transform(cars[1:2, ], wt = NA)
    expect_true(all(is.na(predict(fit, lacking, se.fit = TRUE)$se.fit)))
  }
})

test_that("rows of weight 0 do not connect groups, as in lm", {
  needs_python()
  set.seed(1)
  rows <- data.frame(a = factor(rep(1:4, 10)), b = factor(rep(1:5, each = 8)), x = rnorm(40), w = runif(40), y = rnorm(40))
  rows$w[xor(as.integer(rows$a) < 3, as.integer(rows$b) < 3)] <- 0
  fit <- matbn(y ~ x | a + b, rows, weights = w)
  line <- stats::lm(y ~ x + a + b, rows, weights = w)
  expect_equal(coef(fit), coef(line)["x"])
  expect_equal(fitted(fit)[rows$w > 0], fitted(line)[rows$w > 0])
  expect_equal(fit$rank, line$rank)
  expect_match(fit$messages, "rows of weight 0 have groups that no rows with weight connect", all = FALSE)
})

test_that("columns that are not there are named", {
  needs_python()
  refused(matbn(mpg ~ zz, cars), "'zz' is neither a column of data.*data has mpg, cyl")
  refused(matbn(zz ~ wt, cars), "'zz' is neither")
  refused(matbn(mpg ~ wt + net(hp, zz, size = 2), cars), "'zz' in net\\(hp, zz, size = 2\\) is neither")
  refused(matbn(mpg ~ wt | zz, cars), "'zz' is neither")
  refused(matbn(mpg ~ df, cars), "'df' is neither") # a function of R's
  refused(matbn(mpg ~ wt, cars, weights = zz), "'zz' in weights")
  refused(matbn(mpg ~ wt, cars, subset = zz > 1), "'zz' in subset")
  refused(matbn(mpg ~ wt), "is data missing\\?")
  refused(matbn(mpg ~ wt, data.frame()), "no columns")
  refused(matbn(mpg ~ wt, cars[0, ]), "no rows")
  refused(matbn(mpg ~ wt, as.matrix(mtcars)), "must be a data frame")
  refused(matbn(mpg ~ wt, cars, subset = am > 5), "no rows are left")
})

test_that("columns that cannot be used are named", {
  needs_python()
  refused(matbn(name ~ wt, cars), "outcome name is of class character")
  refused(matbn(f ~ wt, cars), "outcome f is of class factor")
  refused(matbn(cbind(mpg, hp) ~ wt, cars), "has 2 columns")
  refused(matbn(mpg ~ one, cars), "one has one level only \\('a'\\)")
  refused(matbn(mpg ~ net(one, size = 1), cars), "one has one level only")
  refused(matbn(mpg ~ f, cars, subset = cyl == 4), "f has one level only \\('4'\\)")
  refused(matbn(mpg ~ net(hp, const, size = 1), cars), "net\\(hp, const, size = 1\\): const is the same in all rows")
  refused(matbn(mpg ~ inf, cars), "linear part, column inf has Inf in 1 row\\(s\\): Mazda RX4")
  refused(matbn(mpg ~ net(inf, size = 1), cars), "net\\(inf, size = 1\\), column inf has Inf")
  refused(matbn(inf ~ wt, cars), "inf has Inf")
  refused(matbn(mpg ~ nan, cars, na.action = na.pass), "column nan has NaN")
  refused(matbn(mpg ~ nan, cars, na.action = na.fail), "missing values")
  refused(matbn(mpg ~ offset(f), cars), "offset is of class factor")
  refused(matbn(mpg ~ wt, cars, weights = -hp), "32 negative")
  refused(matbn(mpg ~ wt, cars, weights = 0 * hp), "all zero")
  refused(matbn(mpg ~ wt, cars, weights = 1:3), "weights has 3 entries, but there are 32 rows")
  refused(matbn(mpg ~ wt, cars, weights = name), "class character")
  refused(matbn(mpg ~ wt, cars, weights = hp * Inf), "infinite")
  refused(matbn(mpg ~ wt | cyl, cars, weights = as.numeric(cyl != 4)), "zero in groups of cyl: 4; drop")
})

test_that("options outside their range are refused", {
  needs_python()
  for (size in list(0, -1, 2.5, NA, NA_real_, "a", 1:2, Inf)) {
    refused(matbn(mpg ~ net(wt, size = size), cars), "size must be a whole number, 1 or more, but is")
  }
  for (penalty in list(-1, NA, NA_real_, "bic", 1:2)) {
    refused(matbn(mpg ~ net(wt, size = 1), cars, penalty = penalty), "penalty is .*0 or larger, \"cv\" or \"gcv\"")
  }
  refused(matbn(mpg ~ wt, cars, activation = "tanhh"), "'tanhh', but must be one of relu,")
  refused(matbn(mpg ~ wt, cars, activation = tanh), "one string")
  refused(matbn(mpg ~ wt, cars, starts = 0), "starts is 0")
  refused(matbn(mpg ~ wt, cars, seed = "a"), "seed must be one number")
  refused(matbn(mpg ~ wt, cars, iterations = 0), "iterations is 0")
  refused(matbn(mpg ~ net(wt, size = 1, mask = matrix("a")), cars), "mask is of class character")
})

test_that("arguments that matbn does not have are refused", {
  needs_python()
  refused(matbn(mpg ~ wt, cars, pnealty = 1), "'pnealty' is no argument.*did you mean penalty")
  refused(matbn(mpg ~ wt, cars, effects = cyl), "'effects' is no argument of matbn\\(\\) with a formula")
  refused(matbn(cars$wt, cars$mpg, size = 1, wieghts = 1), "did you mean weights")
  refused(matbn(cars, mpg ~ wt), "write matbn\\(formula, data\\)")
  refused(matbn(), "needs a formula and data, or x, y and size")
  error <- tryCatch(matbn(mpg ~ wt, cars, starts = 0), error = identity)
  expect_equal(deparse(conditionCall(error)), "matbn(formula = mpg ~ wt, data = cars, starts = 0)")
})

test_that("new data that does not fit is refused by name", {
  needs_python()
  fit <- matbn(mpg ~ wt + f + net(hp, poly(qsec, 2), size = 1) | am, cars, starts = 1, seed = 1)
  two <- cars[1:2, ]
  refused(predict(fit, two[c("wt", "f", "hp", "am")]), "no column qsec")
  refused(predict(fit, two[c("wt", "f", "hp", "qsec")]), "no column am")
  refused(predict(fit, transform(two, f = factor(5))), "f has new level 5")
  refused(predict(fit, transform(two, am = 7)), "am has groups that the fit has not seen: 7")
  refused(predict(fit, transform(two, wt = "a")), "wt is of class character, but held numbers")
  refused(predict(fit, transform(two, f = 4)), "f is of class numeric, but held labels")
  refused(predict(fit, as.matrix(mtcars)), "must be a data frame")
  refused(predict(fit, data = two), "write newdata = two")
  refused(predict(fit, two, linear = 1), "are for fits of matrices")
  wt <- cars$wt
  refused(suppressWarnings(predict(matbn(cars$mpg ~ wt), data.frame(hp = 1))), "newdata has 1 rows")
  for (column in c("wt", "f", "hp", "qsec", "am")) {
    lacking <- cars[1:3, ]
    lacking[2, column] <- NA
    expect_equal(predict(fit, lacking), replace(predict(fit, cars[1:3, ]), 2, NA), info = column)
    expect_length(predict(fit, lacking, na.action = na.omit), 2)
    lacking[[column]] <- NA
    expect_true(all(is.na(predict(fit, lacking))), info = column)
  }
})

test_that("what can be fitted, but hardly as meant, has a warning or a note", {
  needs_python()
  expect_warning(
    matbn(mpg ~ net(wt, size = 2), cars, iterations = 2, starts = 1), "stopped after 2", class = "matbn_ConvergenceWarning"
  )
  expect_warning(matbn(mpg ~ net(wt, size = 40), cars, starts = 1), "40 nodes for 32 rows", class = "matbn_SizeWarning")
  collinear <- matbn(mpg ~ wt + I(2 * wt) + const, cars)
  expect_equal(unname(is.na(coef(collinear))), c(FALSE, FALSE, TRUE, TRUE))
  expect_match(collinear$messages, "^I\\(2 \\* wt\\), const: dropped")
  expect_match(matbn(mpg ~ nan, cars)$messages, "^1 row with missing values left out")
  alone <- matbn(mpg ~ wt | unit, cars)
  expect_true(is.na(coef(alone)))
  expect_match(alone$messages, "32 rows are alone in a group", all = FALSE)
  expect_match(matbn(mpg ~ wt, cars, weights = ifelse(cyl == 4, NA, 1))$messages, "11 rows with missing")
  fit <- matbn(mpg ~ net(f, size = 1), cars, starts = 1, seed = 1) # a factor's contrasts are numbers
  expect_equal(predict(fit, cars), fitted(fit), tolerance = 1e-10)
})

test_that("columns of a formula may have one name, as in lm", {
  needs_python()
  alike <- transform(cars, f6 = qsec) # beside f6, f's dummy for six cylinders
  expect_equal(unname(coef(matbn(mpg ~ f + f6, alike))), unname(coef(stats::lm(mpg ~ f + f6, alike))))
  fit <- matbn(mpg ~ net(f, f6, size = 1), alike, penalty = 1e-3, starts = 1, seed = 1)
  expect_equal(predict(fit, alike), fitted(fit), tolerance = 1e-10)
})
