#' Fit a regression net with a linear part and fixed effects
#'
#' Fits \eqn{y = X b + effects + \sum a(b(Z \Gamma_1)) \Gamma_2 + e} by penalised least squares: an ordinary linear part,
#' any number of small nets that add up, and fixed effects after a bar.
#'
#' The fit minimises
#' \deqn{\sum w e^2 / \sum w + \lambda s^2 (\|\Delta A\|^2 + \|\beta\|^2 / 100) + \lambda \|\Gamma_2\|^2 + \lambda_{lin} \sum \sigma^2 b^2.}
#' \eqn{A = \Gamma_1 diag(\gamma)} are folded weights, and \eqn{\Delta A} those of standardised inputs: no scale of
#' \eqn{\Gamma_1} escapes the penalty. \eqn{s^2} is the variance of what the linear part and the fixed effects leave of y,
#' and \eqn{\sigma^2} that of each linear column, so that units do not matter; batch norm divides by the standard deviation
#' with `ddof = 0`. \eqn{\Gamma_2}, the linear part and the fixed effects are solved for exactly at each step of the search
#' for the rest.
#'
#' @section Formulas:
#' Terms, factors and functions are those of [lm()], and each formula means the same in Python or is refused there. With
#' `offset(v)`, v is taken off y before the fit and added to fitted values and predictions; R squared is then that of y less
#' the offset. `0 + ...` leaves the intercept out, with nets too, and a factor then has a column for each of its levels.
#' What computes stands in a function, as `I(x > 0)` or `I(x^2)`: a formula that holds `x > 0`, `x^2` or `2 * x` itself is
#' refused, and so is a row that has no value though its columns have, as of `log(x)` where x is negative.
#'
#' @param x a formula, or the inputs of a net: a numeric matrix or a data frame of numbers; a list of those makes several
#'   nets, which take its names.
#' @param formula a formula such as `y ~ trend + net(z1, z2, size = 8) | id + year`. A net's inputs are terms of a formula;
#'   `size` is its number of nodes, `basis` a matrix B that makes first-layer weights \eqn{B \Theta}, `mask` a matrix of
#'   inputs × nodes that says which weights may differ from 0. Effects take the intercept's place.
#' @param data a data frame. Dates count as days since 1970-01-01, as in [lm()], and date-times (POSIXct) as seconds.
#' @param weights,subset,na.action as in [lm()]; a weight of 2 counts as two equal rows, except that the choice of a
#'   penalty counts rows ("cv" may leave out one of two equal rows). With [na.exclude()], fitted
#'   values, residuals and predictions have NA for the rows that were left out.
#' @param y numeric outcomes.
#' @param size number of nodes; with several nets, a number for each.
#' @param linear columns of the linear part: a vector, a matrix or a data frame of numbers.
#' @param intercept whether an intercept is added where there are no effects; in a formula `0 + ...` leaves it out. R squared
#'   is then 1 less residual over raw sums of squares, as in [lm()].
#' @param effects groups of the rows for fixed effects: a vector or factor, or a named list or data frame of several.
#' @param basis,mask as in a formula's `net()`; with several nets a list, NULL where a net has none.
#' @param tol a column of the linear part is left out, with NA for its coefficient, if its distance from the span of the
#'   columns before it is no more than this share of its length. Lengths are without what the intercept or the fixed effects
#'   explain, which [lm()] includes. A column that nearly depends on the others is left out with a warning of class
#'   `matbn_CollinearityWarning`; one that wholly depends on them, as a dummy for a group of a fixed effect, with a note.
#' @param activation one of `r quoted(names(activations))`. With a
#'   rectifier, searches go on to a local minimum at kinks, from which no direction leads down though no gradient vanishes;
#'   they have "converged at a kink".
#' @param penalty \eqn{\lambda}, at least 0; or "cv": chosen by cross-validation in five folds of rows; or "gcv": by
#'   generalised cross-validation with effective degrees of freedom, which is quicker but sometimes misled. Both follow a
#'   path of warm starts. The default is "cv" up to two million rows times nodes, and 1e-5 beyond.
#' @param linear_penalty \eqn{\lambda_{lin}}, at least 0; neither the intercept nor fixed effects are penalised.
#' @param solver "profiled" (the default) searches by BFGS with all that is linear solved for, by L-BFGS above 1,000
#'   parameters, and polishes by Levenberg and Marquardt's steps what did not converge. "lm" takes such steps throughout;
#'   "joint" searches all parameters by BFGS; both end at minima of the same loss. "adam" trains on mini-batches as
#'   deep-learning frameworks do, and ends after `iterations` passes through the data, at no minimum; it takes no fixed
#'   effects.
#' @param starts how many starting values are drawn; by default 10 on small data and fewer on large.
#' @param seed of the starting values; NULL draws it from R's generator, so that [set.seed()] determines it.
#' @param tolerance,iterations the search ends where no entry of the gradient, for outcomes of unit variance, exceeds the
#'   tolerance, or after so many iterations (2,000; with "adam" 200). Searches that only choose a penalty take no more
#'   iterations either.
#' @param progress whether to show on the console how far a fit is, from a second on.
#' @param contrasts.arg as in [model.matrix()].
#' @param ... arguments of the methods; anything else is an error.
#' @return A plain list of class `matbn`: coefficients (of the linear part), nets (each with Gamma1, gamma, beta, Gamma2
#'   and its inputs' mean), effects, fitted.values, residuals, searches (how each start ended, the best first), messages
#'   and what predictions need. It may be saved, and predicts without Python.
#' @section Threads and order:
#' The number of threads changes no bit of a fit. The order of rows and of a net's inputs changes nothing but the last
#' digits of what is reported: the search meets both in an order of their contents, and equal rows once. The order of
#' several nets, of the linear part's columns and of effects is the user's; there, rounding may lead a search elsewhere,
#' most easily at kinks.
#' @section Interrupts:
#' From the first search on, an interrupt (Ctrl-C, Esc) returns the best fit so far with a warning of class
#' `matbn_ConvergenceWarning`: its first search has the status "interrupted", and its messages say how many starts had
#' ended, which penalty the fit has and whether that had been chosen. Before the first search, and while R takes over the
#' result, an interrupt ends the call as elsewhere in R.
#' @seealso [matbn-methods] for what can be done with a fit, [as_nnet()] for its weights in package nnet.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 3) | Chick, ChickWeight, penalty = 1e-4)
#' summary(fit)
#' predict(fit, head(ChickWeight))
#' update(fit, . ~ . - Time:Diet, penalty = "gcv")
#'
#' inputs <- as.matrix(mtcars[c("wt", "hp")])
#' fit <- matbn(inputs, mtcars$mpg, size = 2, effects = mtcars$cyl, penalty = 1e-2)
#' predict(fit, inputs[1:3, ], effects = mtcars$cyl[1:3])
#' @export
matbn <- function(x, ...) {
  if (!nargs()) refuse("matbn() needs a formula and data, or x, y and size", "ArgumentError", sys.call())
  # As in lm(), a formula may stand anywhere if it is named; it then chooses the method.
  at <- match("formula", ...names())
  if (inherits(if (is.na(at)) x else ...elt(at), "formula")) {
    whole_names(...names(), matbn.formula, "matbn() with a formula", sys.call())
  } else {
    whole_names(...names(), matbn.default, "matbn() with a matrix of inputs", sys.call())
  }
  UseMethod("matbn", if (is.na(at)) x else ...elt(at))
}

#' @rdname matbn
#' @export
matbn.formula <- function(formula, data, weights, subset, na.action = stats::na.omit, activation = "tanh", penalty = NULL,
                          linear_penalty = 0, solver = "profiled", starts = NULL, seed = NULL, tolerance = 1e-6,
                          iterations = NULL, progress = interactive(), contrasts.arg = NULL, tol = 1e-7, ...) {
  nothing_more("matbn() with a formula", ...)
  call <- user_call(match.call(), sys.call(-1L))
  data <- if (missing(data)) NULL else data
  caller <- parent.frame()
  with_call(call, {
    parts <- take_apart(formula)
    frame <- framed(parts, call, na.action, data, caller)
    fit <- fitted_by_python(formula_model(parts, frame, contrasts.arg), mget(search_arguments))
    fit$formula <- formula
    fit$columns <- column_kinds(fit$frame, data)
    fit$data <- used_data(fit, data)
    finished(fit, call)
  })
}

#' @rdname matbn
#' @export
matbn.default <- function(x, y, size, linear = NULL, effects = NULL, weights = NULL, basis = NULL, mask = NULL,
                          activation = "tanh", penalty = NULL, linear_penalty = 0, solver = "profiled", starts = NULL,
                          seed = NULL, tolerance = 1e-6, iterations = NULL, progress = interactive(), intercept = TRUE,
                          tol = 1e-7, ...) {
  nothing_more("matbn() with a matrix of inputs", ...)
  call <- user_call(match.call(), sys.call(-1L))
  with_call(call, {
    if (!missing(y) && inherits(y, "formula")) {
      refuse("y is a formula: write matbn(formula, data), or name it, formula = ...", "ArgumentError")
    }
    if (missing(y)) refuse("y is missing: give the outcomes, one for each row of x", "ArgumentError")
    if (missing(size)) refuse("size is missing: say how many nodes the net has, as in size = 4", "ArgumentError")
    vectors_or_lists(size = size, effects = effects)
    model <- matrix_model(x, y, size, linear, effects, weights, basis, mask, flag(intercept, "intercept"))
    finished(fitted_by_python(model, mget(search_arguments)), call)
  })
}

search_arguments <- c(
  "activation", "penalty", "linear_penalty", "solver", "starts", "seed", "tolerance", "iterations", "progress",
  "tol"
)

# The call as the user wrote it: with matched names, and the generic's name in place of the method's.
user_call <- function(matched, generic) {
  written <- if (is.call(generic)) deparse1(generic[[1L]]) else ""
  matched[[1L]] <- if (grepl("^[[:alnum:].]+:::?matbn$", written)) generic[[1L]] else quote(matbn)
  matched
}

# Return whether an interrupt has ended the search.
cut_short <- function(fit) identical(fit$searches$status[1L], "interrupted")

# Refuse abbreviated names of arguments that may mean several; R's own error would not say which.
whole_names <- function(names, method, what, call) {
  takes <- setdiff(names(formals(method)), "...")
  for (name in setdiff(names, c("", NA, takes))) {
    if (sum(startsWith(takes, name)) > 1L) refuse_argument(name, NULL, what, takes, call)
  }
}

finished <- function(fit, call) {
  fit$call <- call
  if (!fit$converged && (fit$solver != "adam" || cut_short(fit))) warned(paste(fit$messages, collapse = "; "), "matbn_ConvergenceWarning", call)
  size <- sum(vapply(fit$nets, function(net) length(net$gamma), 0L))
  if (size > length(fit$residuals)) {
    warned(
      paste0("the nets have ", size, " nodes for ", length(fit$residuals), " rows; take fewer, or penalty = \"gcv\""),
      "matbn_SizeWarning", call
    )
  }
  fit
}
