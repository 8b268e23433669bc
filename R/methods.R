# Methods of R's generics for fits. None calls Python, except update(), which fits again.

#' Methods for fitted nets
#'
#' Predictions, printing and the parts of a fit. Python is needed for standard errors (`predict` with `se.fit` or `interval`;
#' `summary` goes without them where there is no Python) and for `update`.
#'
#' @param object,x a fit by [matbn()].
#' @param newdata for a fit of a formula a data frame with its variables; for a fit of matrices the nets' inputs, as in
#'   [matbn()]. Without it, the fit's own rows.
#' @param linear,effects columns of the linear part and groups at new rows, for fits of matrices that have them.
#' @param na.action what to do with rows of newdata that have missing values; by default they get NA.
#' @param se.fit,interval,level as in [predict.lm()]: whether to give standard errors, and bounds for the mean or for a new
#'   outcome; they include the errors of fixed effects.
#' @param vcov,correction what is assumed about the errors; see [matbn-errors].
#' @param unseen what groups get that the fit has not seen: an error; 0; the average effect over the fit's rows; or, for
#'   "estimate", the mean of what the rest of the model leaves of the group's known outcomes, whose error is part of
#'   `se.fit`, as if those outcomes had iid errors.
#' @param outcomes for `unseen = "estimate"`, known outcomes of the new rows, NA where there is none; by default from newdata.
#' @param part which coefficients: of the linear part; of the nets, such as `Gamma1[z1,1]` for the weight of input z1
#'   in node 1, after the net's label where there are several; each group's effect, such as `id[3]`; or all of them.
#' @param complete whether linear coefficients that were dropped are included, as NA.
#' @param formula. changes to the formula, as in [stats::update()]. A dot stands for what was in its place, before and
#'   after a bar; without a bar the fixed effects stay.
#' @param evaluate whether to fit; if FALSE the call is returned.
#' @param digits how many significant digits to print.
#' @param ... for `update` further changes to the call, otherwise nothing more; what is not known is an error.
#' @return `predict` returns a vector of predictions, `nobs` the number of rows that count, `formula` the formula, `coef` a named
#'   vector, `update` a fit. `summary` returns a list of class `summary.matbn`, with residuals' quantiles, a table of the
#'   coefficients, a matrix for each net (a row for each node), a data frame about the effects and one about the
#'   starts, and measures of fit. `fitted`, `residuals` (outcomes less fitted values) and `weights` are vectors.
#' @name matbn-methods
NULL

#' @rdname matbn-methods
#' @export
print.matbn <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a fit", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  cat("\nCall: ", paste(deparse(x$call), collapse = "\n"), "\n", sep = "")
  if (length(x$coefficients)) {
    cat("\nLinear part:\n")
    print(format(x$coefficients, digits = digits), quote = FALSE)
  }
  for (name in names(x$effects)) cat("\nFixed effects of ", name, ": ", length(x$effects[[name]]), " groups\n", sep = "")
  for (net in x$nets) {
    cat(
      "\n", net$label, ": ", length(net$gamma), " node(s), ", x$activation, ", on ", paste(rownames(net$Gamma1), collapse = ", "), "\n",
      sep = ""
    )
  }
  cat("\n", length(x$residuals), " rows, R-squared ", format(x$r.squared, digits = digits), sep = "")
  if (length(x$effects)) cat(", within ", format(x$within.r.squared, digits = digits), sep = "")
  cat("\n")
  if (nrow(x$searches)) {
    cat(x$searches$status[1L], " after ", x$searches$iterations[1L], " iterations", sep = "")
    if (nrow(x$searches) > 1L) {
      losses <- format(range(x$searches$loss), digits = digits)
      cat("; ", nrow(x$searches), " searches ended at losses from ", losses[1L], " to ", losses[2L], sep = "")
    }
    cat("\n")
  }
  print_notes(x$messages)
  invisible(x)
}

# How many digits to print, checked; NULL is R's own default, as in print().
as_digits <- function(digits) {
  if (is.null(digits)) return(getOption("digits"))
  if (!is.numeric(digits) || length(digits) != 1L || is.object(digits) || !isTRUE(digits >= 1 && digits <= 22)) {
    refuse("digits must be one number from 1 to 22", "ArgumentError")
  }
  as.integer(digits)
}

print_notes <- function(messages) for (message in messages) cat("note: ", message, "\n", sep = "")

#' @rdname matbn-methods
#' @export
coef.matbn <- function(object, part = c("linear", "nets", "effects", "all"), complete = TRUE, ...) {
  nothing_more("coef() of a fit", ...)
  part <- with_call(sys.call(), as_refusal(match.arg(part), "part: "))
  effects <- unlist(unname(lapply_named(object$effects, function(estimates, name) {
    stats::setNames(estimates, paste0(name, "[", names(estimates), "]"))
  })))
  linear <- object$coefficients
  if (!with_call(sys.call(), flag(complete, "complete"))) linear <- linear[!is.na(linear)]
  switch(part,
    linear = linear,
    nets = net_coefficients(object$nets),
    effects = effects,
    all = c(linear, net_coefficients(object$nets), effects)
  )
}

net_coefficients <- function(nets) {
  labels <- make.unique(vapply(nets, `[[`, "", "label"))
  prefixes <- if (length(nets) > 1L) paste0(labels, ":") else rep("", length(nets))
  unlist(Map(function(net, prefix) {
    weights <- outer(rownames(net$Gamma1), seq_along(net$gamma), paste, sep = ",")
    nodes <- function(name) paste0(name, "[", seq_along(net$gamma), "]")
    values <- c(net$Gamma1, net$gamma, net$beta, net$Gamma2)
    names <- c(paste0("Gamma1[", weights, "]"), nodes("gamma"), nodes("beta"), nodes("Gamma2"))
    stats::setNames(values, paste0(prefix, names))
  }, nets, prefixes))
}

#' @rdname matbn-methods
#' @importFrom stats update
#' @export
update.matbn <- function(object, formula., ..., evaluate = TRUE) {
  takes <- names(formals(if (is.null(object$formula)) matbn.default else matbn.formula))
  for (k in seq_len(...length())) {
    name <- name_of_dot(k, ...names())
    if (!nzchar(name) || !name %in% takes) refuse_argument(name, sys.call()[[name]], "update() of a fit", takes, sys.call())
  }
  call <- object$call
  changes <- match.call(expand.dots = FALSE)$...
  if (!missing(formula.)) {
    if (is.null(object$formula)) {
      refuse("the fit has no formula; update it by the arguments of matbn(), such as size = 4", "ArgumentError", sys.call())
    }
    if (!inherits(formula., "formula")) {
      refuse(paste0("formula. is of class ", class(formula.)[1L], ", but must be a formula such as . ~ . + x"), "ElementTypeError", sys.call())
    }
    call$formula <- with_call(sys.call(), as_refusal(changed_formula(object$formula, formula.), "formula.: "))
  }
  for (name in names(changes)) call[name] <- list(changes[[name]])
  if (with_call(sys.call(), flag(evaluate, "evaluate"))) eval(call, parent.frame()) else call
}

#' @rdname matbn-methods
#' @importFrom stats nobs
#' @export
nobs.matbn <- function(object, ...) {
  nothing_more("nobs() of a fit", ..., .let = "use.fallback") # R's step() and drop1() give it to all models
  object$N.counted
}

#' @rdname matbn-methods
#' @importFrom stats formula
#' @export
formula.matbn <- function(x, ...) {
  nothing_more("formula() of a fit", ...)
  x$formula
}

#' @rdname matbn-methods
#' @importFrom stats fitted
#' @export
fitted.matbn <- function(object, ...) {
  nothing_more("fitted() of a fit", ...)
  stats::napredict(object$na.action, object$fitted.values)
}

#' @rdname matbn-methods
#' @importFrom stats residuals
#' @export
residuals.matbn <- function(object, ...) {
  nothing_more("residuals() of a fit", ...)
  stats::naresid(object$na.action, object$residuals)
}

#' @rdname matbn-methods
#' @importFrom stats weights
#' @export
weights.matbn <- function(object, ...) {
  nothing_more("weights() of a fit", ...)
  if (is.null(object$weights)) NULL else stats::naresid(object$na.action, object$weights)
}
