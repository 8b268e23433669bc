# Partial dependence: mean predictions as one variable goes through its values.

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
      "partial_dependence", object$model, solution(object),
      lapply(seq_along(at), function(k) changed_rows(object, data, variable, rep(at[k], nrow(data)))),
      errors_wanted(object, vcov), text(correction, "correction")
    )
    structure(with_bounds(frame, out, level), class = c("matbn_dependence", "data.frame"), variable = variable)
  })
}

# Values for a curve: a number's range in equal steps, or its values if they are few; a factor's levels.
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
