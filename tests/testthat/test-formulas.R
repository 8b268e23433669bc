# The contract of formulas, tests/fixtures/formulas.csv, which tests/model/test_formulas.py holds Python to as well.
# r_scripts/golden/formulas.R says what its columns are, and has lm fill in the numbers.
of_fixture <- function(name, ...) {
  file <- file.path("..", "fixtures", name)
  skip_if_not(file.exists(file), "the fixtures are in the repository alone")
  read.csv(file, ...)
}

contract_rows <- function(refused) {
  rows <- of_fixture("formulas.csv", colClasses = "character", na.strings = character())
  rows <- rows[(rows$refusal != "") == refused & rows$languages != "python", ]
  split(rows, seq_len(nrow(rows)))
}

contract_data <- function() {
  data <- of_fixture("formulas_data.csv", check.names = FALSE, na.strings = "")
  data$day <- as.Date(data$day)
  data
}

contract_fit <- function(row, data) {
  B <- matrix(1, 2, 1)
  M <- matrix(c(1, 1, 0, 1), 2)
  arguments <- list(str2lang(row$formula), data, starts = 1, penalty = 1e-2, seed = 1)
  if (nzchar(row$weights)) arguments$weights <- as.name(row$weights)
  eval(as.call(c(quote(matbn), arguments)))
}

checksum <- function(X) sum(as.matrix(X) * seq_len(NROW(X)))

test_that("formulas mean what the contract says", {
  needs_python()
  data <- contract_data()
  for (row in contract_rows(refused = FALSE)) {
    fit <- contract_fit(row, data)
    about <- paste(row$formula, row$weights)
    expect_equal(length(fitted(fit)), as.integer(row$rows), info = about)
    expect_equal(fit$intercept, row$intercept == "1", info = about)
    expect_equal(as.integer(fit$rank), as.integer(row$rank), info = about)
    expect_equal(paste(names(fit$effects), collapse = " + "), row$effects, info = about)
    if (nzchar(row$columns)) {
      expect_equal(length(coef(fit)) - fit$intercept, as.integer(row$columns), info = about)
      linear <- fit$model$linear
      expect_equal(if (is.null(linear)) 0 else checksum(abs(linear)), as.numeric(row$design), info = about)
    }
    nets <- strsplit(strsplit(row$inputs, "; ", fixed = TRUE)[[1L]], " x |: ")
    expect_length(fit$model$nets, length(nets))
    for (k in seq_along(nets)) {
      term <- fit$model$nets[[k]]
      expect_equal(c(term$size, ncol(term$Z), checksum(abs(term$Z))), as.numeric(nets[[k]]), info = about)
    }
    new <- predict(fit, data[3:8, ])
    if (nzchar(row$fitted)) {
      expect_equal(checksum(fitted(fit)), as.numeric(row$fitted), info = about)
      expect_equal(checksum(replace(new, is.na(new), 0)), as.numeric(row$predicted), info = about)
    }
    same <- predict(fit, data)
    expect_equal(same[names(fitted(fit))], fitted(fit), info = about)
    if (!grepl("mean(", row$formula, fixed = TRUE)) expect_equal(new, same[3:8], info = about)
  }
})

test_that("formulas are refused in our own words", {
  needs_python()
  data <- contract_data()
  for (row in contract_rows(refused = TRUE)) {
    error <- tryCatch(suppressWarnings(contract_fit(row, data)), error = identity)
    expect_s3_class(error, "matbn_error")
    expect_true(grepl(row$refusal, conditionMessage(error), fixed = TRUE), info = paste(row$formula, conditionMessage(error)))
  }
})
