# Cross-validation, and the choice of sizes and penalties.

#' Cross-validation, and choice of sizes and penalties
#'
#' `cross_validate` fits the model again without each of several folds and predicts their rows: rows at random, whole groups
#' (`by = ~ id`), or blocks of time, each predicted from all before it (`time = ~ year`). `choose_fit` tries all
#' combinations of sizes and penalties and returns the fit with the smallest error or BIC. Folds are fitted in parallel.
#' Both functions need Python.
#'
#' The fixed effect of a group that is left out altogether is "average" or "zero"; with `unseen = "estimate"` it is the mean
#' of what the model leaves of the group's other rows, so that predictions within groups are judged.
#'
#' @param object a fit by [matbn()], whose penalty stays unless others are given.
#' @param by,time groups or times, as a formula with one variable, or a vector with an entry for each row.
#' @param folds how many folds; with `time` there is one more block, the first, which is not predicted.
#' @param unseen see Details.
#' @param starts how many starting values are drawn for each fold's fit.
#' @param seed of folds and starts; by default from R's generator.
#' @param sizes,penalties what to try; a size counts for each net. By default those of the fit.
#' @param criterion "cv" for the mean squared error, or "bic".
#' @param x,digits,... for printing.
#' @return `cross_validate`: a list of class `matbn_validation`, with `mse`, its standard error `error`, `rmse`, `r.squared`,
#'   `by.fold`, and `predictions` and `fold` of each row (NA where it was not predicted). `choose_fit`: a list of class
#'   `matbn_choice`, with `table` (a row for each combination) and the best `fit`. An interrupt (Ctrl-C, Esc) returns what
#'   had ended, if anything had, with a warning of class `matbn_ConvergenceWarning`: predictions and scores of whole folds, or
#'   the table of the combinations that had been scored in full, without a fit (NULL).
#' @examples
#' fit <- matbn(weight ~ net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' cross_validate(fit, by = ~ Chick, unseen = "estimate", seed = 1)
#' choose_fit(fit, sizes = c(1, 2, 4), by = ~ Chick, unseen = "estimate", seed = 1)$table
#' @export
cross_validate <- function(object, by = NULL, time = NULL, folds = 5, unseen = c("average", "zero", "estimate"), starts = 3,
                           seed = NULL) {
  call <- sys.call()
  unseen <- with_call(call, as_refusal(match.arg(unseen), "unseen: "))
  with_call(call, {
    as_a_fit(object)
    options <- validation_options(object, by, time, folds, unseen, starts, seed)
    out <- bridge_call("cross_validate", object$model, solution(object), options)
    missing <- function(x, none) stats::setNames(replace(x, none, NA), names(object$residuals))
    predictions <- out$predictions + if (is.null(object$offset)) 0 else object$offset
    structure(
      list(
        mse = out$mse, error = out$error, rmse = sqrt(out$mse), r.squared = out$r_squared, by.fold = as.vector(out$by_fold),
        predictions = missing(predictions, is.nan(predictions)), fold = missing(out$fold + 1, out$fold < 0)
      ),
      class = "matbn_validation"
    )
  })
}

#' @rdname cross_validate
#' @export
choose_fit <- function(object, sizes = NULL, penalties = NULL, criterion = c("cv", "bic"), by = NULL, time = NULL, folds = 5,
                       unseen = c("average", "zero", "estimate"), starts = 3, seed = NULL) {
  call <- sys.call()
  criterion <- with_call(call, as_refusal(match.arg(criterion), "criterion: "))
  unseen <- with_call(call, as_refusal(match.arg(unseen), "unseen: "))
  caller <- parent.frame()
  with_call(call, {
    as_a_fit(object)
    options <- c(validation_options(object, by, time, folds, unseen, starts, seed), criterion = criterion)
    out <- bridge_call(
      "choose", object$model, solution(object), optional(sizes, "sizes"), optional(penalties, "penalties"), options
    )
    table <- data.frame(size = if (is.null(sizes)) NA_real_ else out$size, penalty = out$penalty, score = out$score)
    if (criterion == "cv") table$error <- out$error
    fit <- if (out$whole) best_fit(object, table[which.min(table$score), ], !is.null(sizes), options$seed, caller)
    structure(list(table = table, criterion = criterion, fit = fit), class = "matbn_choice")
  })
}

# The fit of the best combination; NULL if an interrupt ends it.
best_fit <- function(object, best, sized, seed, caller) {
  again <- object$call
  if (sized) again <- resized(object, again, best$size)
  again$penalty <- best$penalty
  again$seed <- seed
  fit <- withCallingHandlers(
    tryCatch(eval(again, caller), interrupt = function(e) NULL),
    matbn_ConvergenceWarning = function(w) if (grepl("interrupted", conditionMessage(w), fixed = TRUE)) invokeRestart("muffleWarning")
  )
  if (!is.null(fit) && !cut_short(fit)) return(fit)
  warned(
    paste0(
      "the choice was interrupted when all combinations had been scored, and the best of these (",
      if (sized) paste0("size ", best$size, " and "), "penalty ", format(best$penalty, digits = 3L),
      ") was not fitted: fit it, or choose again"
    ),
    "matbn_ConvergenceWarning", sys.call(-1)
  )
  NULL
}

validation_options <- function(object, by, time, folds, unseen, starts, seed) {
  if (is.null(seed)) seed <- sample.int(.Machine$integer.max, 1L)
  options <- list(folds = number(folds, "folds"), unseen = unseen, starts = number(starts, "starts"), seed = number(seed, "seed"))
  if (!is.null(by)) options$by <- as.double(unit_codes(object, by))
  if (!is.null(time)) options$time <- as.double(group_codes(object, time, "time"))
  options
}

# Codes of groups in the order in which they appear, so that they are the same whatever the labels are.
unit_codes <- function(object, by) {
  codes <- as.integer(group_codes(object, by, "by"))
  match(codes, unique(codes))
}

# Codes of the rows' groups or times, from a formula with one variable or from a vector, in the order of the values.
group_codes <- function(object, by, what) {
  if (inherits(by, "formula")) {
    if (length(by) != 2L || !is.name(by[[2L]])) {
      refuse(paste0(what, " is ", deparse1(by), ", but must be a formula with one variable, such as ~ id"), "ArgumentError")
    }
    return(cluster_codes(object, as.character(by[[2L]]), environment(by)))
  }
  label_codes(object, by, what)
}

# The call with another size for each net.
resized <- function(object, call, size) {
  if (is.null(object$formula)) {
    call$size <- rep(size, length(object$nets))
    return(call)
  }
  within_nets <- function(part) {
    if (is.call(part) && identical(part[[1L]], quote(net))) part$size <- size
    else if (is.call(part)) for (k in seq_along(part)) if (!missing_argument(part[[k]])) part[[k]] <- within_nets(part[[k]])
    part
  }
  call$formula <- within_nets(object$formula)
  call
}

missing_argument <- function(x) is.symbol(x) && !nzchar(as.character(x))

#' @rdname cross_validate
#' @export
print.matbn_validation <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a validation", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  shown <- function(value) format(value, digits = digits)
  cat(
    length(x$by.fold), " folds, ", sum(!is.na(x$fold)), " rows predicted\nRoot mean squared error: ", shown(x$rmse),
    ", mean squared: ", shown(x$mse), " (standard error ", shown(x$error), ")\nR-squared: ", shown(x$r.squared), "\n",
    sep = ""
  )
  invisible(x)
}

#' @rdname cross_validate
#' @export
print.matbn_choice <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a choice", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  table <- x$table
  table$` ` <- ifelse(seq_len(nrow(table)) == which.min(table$score), "<-", "")
  names(table)[names(table) == "error"] <- "standard error"
  names(table)[names(table) == "score"] <- if (x$criterion == "bic") "BIC" else "mean squared error"
  print(table[!vapply(table, function(column) all(is.na(column)), NA)], digits = digits, row.names = FALSE)
  if (is.null(x$fit)) {
    cat("\nThe best one was not fitted.\n")
  } else {
    cat("\nThe best one's fit:\n")
    print(x$fit, digits = digits)
  }
  invisible(x)
}
