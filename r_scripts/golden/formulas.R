# Fills in the numbers of tests/fixtures/formulas.csv, the contract of formulas in both languages, by R's own lm:
#
#   Rscript r_scripts/golden/formulas.R       # from the repository's root; writes the file again
#
# Written by hand are `formula` and `weights` (a column of formulas_data.csv), and either what that means in R's plainest
# words (`outcome`, `linear`, each net as "size: inputs", `effects`) or the words that its `refusal` holds; `languages` is
# "python" where R's own parser refuses. The numbers follow:
#
#   rows, intercept       how many rows are fitted, and whether there is an intercept
#   columns, design       of the linear part without the intercept: their number and the checksum of their sizes; empty
#                         where they depend on each other, for then the languages leave out different ones
#   inputs                each net's size, number of inputs and their checksum
#   rank, fitted          of the linear part with the effects, and the checksum of lm's fitted values
#   predicted             the checksum of lm's predictions for rows 3 to 8, without nets alone
#
# A checksum is the sum of values times their row's number.

contract <- read.csv("tests/fixtures/formulas.csv", colClasses = "character", na.strings = character())
data <- read.csv("tests/fixtures/formulas_data.csv", check.names = FALSE, na.strings = "")
data$day <- as.Date(data$day)

checksum <- function(X) format(sum(as.matrix(X) * seq_len(NROW(X))), digits = 12)
split_at <- function(text, by) if (nzchar(text)) strsplit(text, by, fixed = TRUE)[[1]] else character()
quoted <- function(names) if (length(names)) paste0("`", names, "`")
right_side <- function(text) stats::as.formula(paste("~", text))

numbers <- function(row) {
  effects <- quoted(split_at(row$effects, " + "))
  nets <- strsplit(split_at(row$nets, "; "), ": ", fixed = TRUE)
  inputs <- vapply(nets, function(net) sub("^[0-9]+: ", "", paste(net, collapse = ": ")), "")
  variables <- unlist(lapply(c(row$outcome, row$linear, inputs, effects, if (nzchar(row$weights)) row$weights), function(part) {
    all.vars(right_side(part))
  }))
  complete <- data[stats::complete.cases(data[unique(variables)]), ]
  dummies <- if (length(effects)) paste0(" + factor(", effects, ")", collapse = "")
  without <- if (length(effects)) "0 + " # effects take the intercept's place
  weights <- if (nzchar(row$weights)) complete[[row$weights]]
  formula <- stats::as.formula(paste(row$outcome, "~", row$linear, if (length(effects)) "- 1", dummies))
  environment(formula) <- list2env(list(weights = weights))
  line <- if (is.null(weights)) stats::lm(formula, complete) else stats::lm(formula, complete, weights = weights)
  linear <- stats::model.matrix(right_side(row$linear), complete)
  intercept <- any(attr(linear, "assign") == 0L)
  independent <- qr(linear)$rank == ncol(linear)
  linear <- linear[, attr(linear, "assign") != 0L, drop = FALSE]
  shapes <- mapply(function(net, inputs) {
    Z <- stats::model.matrix(right_side(inputs), complete)
    Z <- Z[, attr(Z, "assign") != 0L, drop = FALSE]
    paste0(net[1L], " x ", ncol(Z), ": ", checksum(abs(Z)))
  }, nets, inputs)
  new <- data[3:8, ]
  known <- stats::complete.cases(new[intersect(unlist(lapply(c(row$linear, effects), function(part) all.vars(right_side(part)))), names(new))])
  data.frame(
    rows = nrow(complete), intercept = as.integer(intercept && !length(effects)),
    columns = if (independent) ncol(linear) else "", design = if (independent) checksum(abs(linear)) else "",
    inputs = paste(shapes, collapse = "; "), rank = line$rank,
    fitted = if (length(nets)) "" else checksum(stats::fitted(line)),
    predicted = if (length(nets)) "" else checksum(replace(rep(0, 6), known, suppressWarnings(stats::predict(line, new[known, ]))))
  )
}

filled <- lapply(seq_len(nrow(contract)), function(k) {
  row <- contract[k, c("formula", "weights", "outcome", "linear", "nets", "effects", "refusal", "languages")]
  none <- c(rows = "", intercept = "", columns = "", design = "", inputs = "", rank = "", fitted = "", predicted = "")
  cbind(row, if (nzchar(row$refusal)) as.data.frame(as.list(none)) else numbers(row))
})
filled <- do.call(rbind, lapply(filled, function(row) lapply(row, as.character) |> as.data.frame(check.names = FALSE)))
utils::write.csv(filled, "tests/fixtures/formulas.csv", row.names = FALSE)
