# Effects of variables on predictions.

#' Marginal effects and partial dependence
#'
#' `marginal_effects` gives derivatives of predictions by variables, averaged over the fit's rows (with its weights) or at
#' each of them; `partial_dependence` the mean prediction over the fit's rows when one variable has the same value in all.
#' Both go through all terms and transformations of the formula, and have delta-method errors from the folded net's
#' derivatives. They need Python.
#'
#' @param object a fit by [matbn()].
#' @param variables names of numeric variables; all of them by default.
#' @param average whether to average over rows.
#' @param variable name of a variable.
#' @param at its values; by default 40 over a number's range, or all levels of a factor.
#' @param vcov,correction what is assumed about the errors; see [matbn-errors].
#' @param level of confidence.
#' @return A data frame with columns `estimate`, `std.error`, `conf.low`, `conf.high`, and `variable` (with `row`, where
#'   effects are not averaged) or the variable's own column; that of `partial_dependence` is of class
#'   `matbn_dependence`, which [plot()] draws.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' marginal_effects(fit, vcov = ~ Chick)
#' plot(partial_dependence(fit, "Time", vcov = ~ Chick))
#' @export
marginal_effects <- function(object, variables = NULL, average = TRUE, vcov = "iid", correction = "sandwich", level = 0.95) {
  call <- sys.call()
  with_call(call, {
    as_a_fit(object)
    check_level(level)
    data <- fitted_data(object)
    variables <- as_variables(variables, numbers_of(object))
    if (!length(variables)) refuse("the fit has no numeric variable", "ArgumentError")
    out <- bridge_call(
      "effects", object$model, solution(object), lapply(variables, function(name) change_with(object, data, name)),
      as.double(flag(average, "average")), errors_wanted(object, vcov), text(correction, "correction")
    )
    rows <- if (average) data.frame(variable = variables) else {
      N <- length(object$residuals)
      data.frame(variable = rep(variables, each = N), row = rep(rownames(data), length(variables)))
    }
    with_bounds(rows, out, level)
  })
}

#' @rdname marginal_effects
#' @export
partial_dependence <- function(object, variable, at = NULL, vcov = "iid", correction = "sandwich", level = 0.95) {
  call <- sys.call()
  with_call(call, {
    as_a_fit(object)
    check_level(level)
    data <- fitted_data(object)
    if (missing(variable)) refuse(paste0("variable is missing; name one of ", listed(variables_of(object), 20L)), "ArgumentError")
    as_variables(text(variable, "variable"), variables_of(object), "variable")
    at <- if (is.null(at)) usual_values(data[[variable]]) else as_values(at, data[[variable]], variable)
    frame <- stats::setNames(as_refusal(data.frame(at), "at: "), variable)
    out <- bridge_call(
      "dependence", object$model, solution(object),
      lapply(seq_along(at), function(k) changed_rows(object, data, variable, rep(at[k], nrow(data)))),
      errors_wanted(object, vcov), text(correction, "correction")
    )
    if (!is.null(object$offset)) out$estimate <- out$estimate + mean_of(object$offset, object$weights)
    structure(with_bounds(frame, out, level), class = c("matbn_dependence", "data.frame"), variable = variable)
  })
}

usual_values <- function(x) {
  if (is.factor(x)) return(factor(levels(x)[levels(x) %in% x], levels(x)))
  values <- sort(unique(x))
  if (!is.numeric(x) || length(values) <= 40L) values else seq(values[1L], values[length(values)], length.out = 40L)
}

as_values <- function(at, x, variable) {
  if (!is.atomic(at) || !is.null(dim(at))) {
    refuse(paste0("at is of class ", class(at)[1L], ", but must be a vector of values"), "ElementTypeError")
  }
  if (is.numeric(x) != is.numeric(at)) {
    refuse(paste0("at holds ", kind(at), ", but ", variable, " in the fit's data ", kind(x)), "ElementTypeError")
  }
  if (!length(at) || anyNA(at) || is.numeric(at) && !all(is.finite(at))) {
    refuse("at must hold values, none of them missing or infinite", "ArgumentError")
  }
  if (!is.factor(x)) return(at)
  new <- setdiff(as.character(at), levels(x))
  if (length(new)) refuse(paste0("at has levels that ", variable, " has not: ", listed(new)), "ArgumentError")
  factor(as.character(at), levels(x))
}

mean_of <- function(x, w) if (is.null(w)) mean(x) else sum(w * x) / sum(w)

with_bounds <- function(frame, out, level) {
  frame$estimate <- out$estimate
  frame$std.error <- known_errors(out$error)
  frame[c("conf.low", "conf.high")] <- as.data.frame(bounds(frame$estimate, frame$std.error, out$df, level))
  frame
}

check_level <- function(level) {
  level <- number(level, "level")
  if (!isTRUE(level > 0 && level < 1)) {
    refuse(paste0("level is ", level, ", but must lie between 0 and 1"), "ArgumentError")
  }
}

as_a_fit <- function(object) {
  if (!inherits(object, "matbn")) {
    refuse(paste0("object is of class ", class(object)[1L], ", but must be a fit by matbn()"), "ElementTypeError")
  }
}
