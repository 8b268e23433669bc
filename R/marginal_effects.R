# Marginal effects of variables on predictions.

#' Marginal effects and partial dependence
#'
#' `marginal_effects` gives derivatives of predictions by variables, averaged over the fit's rows (with its weights) or at
#' each of them. `partial_dependence` gives the mean prediction over the fit's rows when one variable has the same value in
#' all of them. Both go through all terms and transformations of the formula, have delta-method errors from the folded
#' net's derivatives, and need Python.
#'
#' @param object a fit by [matbn()].
#' @param variables names of numeric variables; all of them by default.
#' @param average whether to average over rows.
#' @param variable name of a variable.
#' @param at values of the variable; by default 40 over a number's range, or all levels of a factor.
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
      "marginal_effects", object$model, solution(object), as.list(variables),
      lapply(variables, function(name) change_with(object, data, name)), as.double(flag(average, "average")),
      errors_wanted(object, vcov), text(correction, "correction")
    )
    rows <- data.frame(variable = rep(variables, each = if (average) 1L else nrow(data)))
    if (!average) rows$row <- rep(rownames(data), length(variables))
    with_bounds(rows, out, level)
  })
}
