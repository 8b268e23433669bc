# The summary of a fit.

#' @rdname matbn-methods
#' @export
summary.matbn <- function(object, vcov = "iid", correction = "sandwich", ...) {
  nothing_more("summary() of a fit", ...)
  table <- if (length(object$coefficients)) with_call(sys.call(), table_or_estimates(object, vcov, correction))
  log_likelihood <- logLik.matbn(object)
  structure(
    list(
      call = object$call,
      residuals = stats::quantile(object$residuals, names = FALSE),
      coefficients = plain(table), errors = attr(table, "kind"), df = attr(table, "df"),
      tests = if (length(object$nets)) tests_or_nothing(object, vcov, correction),
      nets = stats::setNames(lapply(object$nets, node_table), vapply(object$nets, `[[`, "", "label")),
      activation = object$activation,
      effects = fixed_effects_table(object$effects),
      N = length(object$residuals), rank = object$rank,
      r.squared = object$r.squared,
      within.r.squared = if (length(object$effects)) object$within.r.squared,
      rmse = rmse_of(object), sigma = sigma.matbn(object), df.residual = df.residual.matbn(object),
      logLik = as.numeric(log_likelihood), AIC = stats::AIC(log_likelihood), BIC = stats::BIC(log_likelihood),
      weighted = !is.null(object$weights),
      penalty = object$penalty, edf = object$edf,
      searches = object$searches, messages = object$messages
    ),
    class = "summary.matbn"
  )
}

# The coefficients' table; without Python, or where no degrees of freedom are left, estimates only.
table_or_estimates <- function(object, vcov, correction) {
  estimates <- cbind(Estimate = object$coefficients)
  if (object$N.counted <= degrees(object)) return(estimates)
  tryCatch(coefficient_table(object, vcov, "linear", correction), matbn_PythonError = function(e) estimates, matbn_InferenceError = function(e) estimates)
}

plain <- function(table) {
  attr(table, "kind") <- attr(table, "df") <- NULL
  table
}

# Wald tests, which need Python, degrees of freedom and the fit's data; NULL without them.
tests_or_nothing <- function(object, vcov, correction) {
  if (object$N.counted <= degrees(object)) return(NULL)
  tryCatch(wald_test(object, vcov = vcov, correction = correction), matbn_error = function(e) NULL)
}

# A matrix with a row for each node: its first-layer weights, batch norm's scale and shift, its output weight.
node_table <- function(net) {
  weights <- t(net$Gamma1)
  colnames(weights) <- paste0("Gamma1[", rownames(net$Gamma1), "]")
  cbind(weights, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2)
}

fixed_effects_table <- function(effects) {
  if (!length(effects)) return(NULL)
  about <- function(f) vapply(effects, f, 0)
  data.frame(
    groups = lengths(effects), min = about(min), median = about(stats::median), max = about(max),
    sd = about(function(estimates) if (length(estimates) > 1L) stats::sd(estimates) else NA_real_),
    row.names = names(effects)
  )
}

#' @rdname matbn-methods
#' @export
print.summary.matbn <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a summary", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  cat("\nCall:\n", paste(deparse(x$call), collapse = "\n"), "\n", sep = "")
  cat("\nResiduals:\n")
  print(stats::setNames(zapsmall(x$residuals, digits + 1L), c("Min", "1Q", "Median", "3Q", "Max")), digits = digits)
  if (!is.null(x$coefficients)) {
    cat("\nLinear part", if (!is.null(x$errors)) paste0(" (errors ", x$errors, ", ", format(x$df, digits = digits), " df)"), ":\n", sep = "")
    table <- x$coefficients
    if (ncol(table) == 1L) {
      stats::printCoefmat(table, digits = digits, cs.ind = 1L, tst.ind = integer(), has.Pvalue = FALSE)
    } else {
      stats::printCoefmat(table, digits = digits, signif.legend = TRUE, na.print = "NA")
    }
  }
  if (!is.null(x$tests)) {
    cat("\nWald tests that a variable has no effect:\n")
    stats::printCoefmat(
      as.matrix(x$tests), digits = digits, cs.ind = integer(), tst.ind = 2L, zap.ind = 1L, has.Pvalue = TRUE, P.values = TRUE,
      signif.legend = FALSE, na.print = "NA"
    )
    rank <- attr(x$tests, "rank")
    cat("The data determine ", rank[1L], " of ", rank[2L], " parameters.\n", sep = "")
  }
  for (k in seq_along(x$nets)) {
    cat("\n", names(x$nets)[k], ", ", x$activation, ":\n", sep = "")
    print(x$nets[[k]], digits = digits)
  }
  if (!is.null(x$effects)) {
    cat("\nFixed effects:\n")
    print(x$effects, digits = digits)
  }
  print_measures(x, digits)
  if (nrow(x$searches)) {
    cat("\nSearches, the best first:\n")
    searches <- x$searches
    searches$gradient <- signif(searches$gradient, 2L)
    print(searches, digits = digits + 2L)
  }
  if (length(x$messages)) cat("\n")
  print_notes(x$messages)
  invisible(x)
}

print_measures <- function(x, digits) {
  shown <- function(value) format(value, digits = digits)
  cat("\n", x$N, " rows, rank ", x$rank, " of the linear part", if (!is.null(x$effects)) " and the effects", "\n", sep = "")
  cat("R-squared: ", shown(x$r.squared), sep = "")
  if (!is.null(x$within.r.squared)) cat(", within: ", shown(x$within.r.squared), sep = "")
  cat("\n", if (x$weighted) "Weighted root" else "Root", " mean squared error: ", shown(x$rmse), ", residual standard error: ", sep = "")
  cat(shown(x$sigma), " on ", shown(x$df.residual), " degrees of freedom\n", sep = "")
  cat("Log-likelihood: ", shown(x$logLik), ", AIC: ", shown(x$AIC), ", BIC: ", shown(x$BIC), "\n", sep = "")
  if (length(x$nets)) {
    cat("Penalty: ", shown(x$penalty), sep = "")
    if (!is.null(x$edf)) cat(", effective degrees of freedom: ", shown(x$edf), sep = "")
    cat("\n")
  }
}
