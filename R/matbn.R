#' Fit a regression net with a linear part and fixed effects
#'
#' Fits \eqn{y = X b + effects + \sum a(b(Z \Gamma_1)) \Gamma_2 + e} by penalised least squares: an ordinary linear part,
#' any number of small nets that add up, and fixed effects after a bar.
#'
#' What is minimised is \eqn{\sum w e^2 / \sum w + \lambda s^2 (\|\gamma\|^2 + \|\beta\|^2) + \lambda \|\Gamma_2\|^2},
#' where \eqn{s^2} is the variance of what the linear part and the effects leave of y, so that units do not matter; batch
#' norm divides by the standard deviation with `ddof = 0`. \eqn{\Gamma_2}, the linear part and the effects are solved for
#' exactly at each step of the search for the rest.
#'
#' @param formula a formula such as `y ~ trend + net(z1, z2, size = 8) | id + year`. A net's inputs are terms of a formula;
#'   `size` is its number of nodes, `basis` a matrix B that makes first-layer weights \eqn{B \Theta}, `mask` a matrix of
#'   inputs × nodes that says which weights may differ from 0. Effects take the intercept's place.
#' @param data a data frame.
#' @param weights,subset,na.action as in [lm()]; a weight of 2 counts as two equal rows.
#' @param activation one of "relu", "leaky_relu", "tanh", "logistic", "softplus", "gelu", "sine", "identity".
#' @param penalty \eqn{\lambda}, at least 0; or "gcv", which chooses it by generalised cross-validation with effective
#'   degrees of freedom, along a path of warm starts.
#' @param starts how many starting values are drawn; by default 10 on small data and fewer on large.
#' @param seed where they come from; NULL draws it from R's generator, so that [set.seed()] governs.
#' @param tolerance,iterations the search ends where no entry of the gradient, for outcomes of unit variance, exceeds the
#'   tolerance, or after so many iterations.
#' @param contrasts.arg as in [model.matrix()].
#' @return A plain list of class `matbn`: coefficients (of the linear part), nets (each with Gamma1, gamma, beta, Gamma2
#'   and its inputs' mean), effects, fitted.values, residuals, searches (how each start ended, the best first), messages
#'   and what predictions need. It may be saved, and predicts without Python.
#' @examples
#' \dontrun{
#' fit <- matbn(weight ~ Diet + net(Time, size = 3) | Chick, ChickWeight)
#' fit
#' predict(fit, head(ChickWeight))
#' }
#' @export
matbn <- function(formula, data, weights, subset, na.action = stats::na.omit, activation = "tanh", penalty = 1e-4,
                  starts = NULL, seed = NULL, tolerance = 1e-6, iterations = 2000, contrasts.arg = NULL) {
  parts <- take_apart(formula)
  frame_call <- match.call(expand.dots = FALSE)
  frame_call <- frame_call[c(1L, match(c("data", "weights", "subset", "na.action"), names(frame_call), 0L))]
  frame_call$formula <- all_variables(parts, environment(formula))
  frame_call$na.action <- na.action
  frame_call[[1L]] <- quote(stats::model.frame)
  frame <- eval(frame_call, parent.frame())
  if (nrow(frame) == 0L) refuse("no rows are left: every one has a missing value or is out of the subset", "ArgumentError")

  linear <- design_matrix(parts$linear, frame, contrasts.arg)
  if (!linear$intercept && !length(parts$effects)) {
    refuse("formula drops the intercept, without which nets are not fitted; leave it in", "ArgumentError")
  }
  nets <- lapply(parts$nets, function(net) c(net, design_matrix(net$inputs, frame, contrasts.arg)))
  effects <- lapply(stats::setNames(parts$effects, parts$effects), function(name) factor(frame[[name]]))
  if (is.null(seed)) seed <- sample.int(.Machine$integer.max, 1L)
  w <- stats::model.weights(frame)

  out <- bridge_call(
    "fit", numbers(stats::model.response(frame), "y"),
    lapply(nets, function(net) {
      list(Z = net$matrix, size = number(net$size, "size"), basis = optional(net$basis, "basis"),
        mask = optional(net$mask, "mask"), label = text(net$label, "label"))
    }),
    if (ncol(linear$matrix)) linear$matrix else NULL,
    unname(lapply(effects, function(codes) as.double(codes))), optional(w, "weights"), text(activation, "activation"),
    if (is.character(penalty)) text(penalty, "penalty") else number(penalty, "penalty"), if (is.null(starts)) NULL else number(starts, "starts"), number(seed, "seed"),
    number(tolerance, "tolerance"), number(iterations, "iterations")
  )
  fit <- as_fit(out, frame, linear, nets, effects, activation)
  fit$formula <- formula
  fit$call <- match.call()
  fit$seed <- seed
  if (!out$converged) {
    warning(structure(
      list(message = paste(out$messages, collapse = "; "), call = sys.call()),
      class = c("matbn_ConvergenceWarning", "matbn_warning", "warning", "condition")
    ))
  }
  fit
}

# A part of the formula as its columns without the intercept, and what it takes to make them again.
design_matrix <- function(formula, frame, contrasts.arg = NULL) {
  terms <- stats::terms(formula)
  used <- intersect(names(contrasts.arg), all.vars(formula))
  contrasts.arg <- if (length(used)) contrasts.arg[used] else NULL
  full <- terms
  attr(full, "intercept") <- 1L # factors have contrasts, as beside an intercept
  matrix <- stats::model.matrix(full, frame, contrasts.arg = contrasts.arg)
  kept <- matrix[, -1L, drop = FALSE]
  storage.mode(kept) <- "double"
  dimnames(kept) <- list(NULL, colnames(kept))
  attr(kept, "assign") <- NULL
  # New rows are transformed as these were (scale(), poly(), splines), which the whole frame's terms remember.
  all <- attr(frame, "terms")
  at <- match(variable_names(full), variable_names(all))
  attr(full, "predvars") <- as.call(c(quote(list), as.list(attr(all, "predvars"))[-1L][at]))
  attr(full, "dataClasses") <- attr(all, "dataClasses")[at]
  list(
    matrix = kept, terms = full, contrasts = attr(matrix, "contrasts"), xlevels = stats::.getXlevels(full, frame),
    intercept = attr(terms, "intercept") == 1L
  )
}

variable_names <- function(terms) vapply(as.list(attr(terms, "variables"))[-1L], deparse1, "")

as_fit <- function(out, frame, linear, nets, effects, activation) {
  rows <- rownames(frame)
  coefficients <- out$coefficients
  coefficients[is.nan(coefficients)] <- NA_real_
  names(coefficients) <- c(if (!length(effects)) "(Intercept)", colnames(linear$matrix))
  recipe <- function(part) part[c("terms", "contrasts", "xlevels")]
  fit <- list(
    coefficients = coefficients,
    nets = if (length(out$nets)) Map(function(found, net) {
      nodes <- seq_along(found$gamma)
      found$Gamma1 <- matrix(found$Gamma1, ncol = length(nodes), dimnames = list(colnames(net$matrix), nodes))
      c(list(label = net$label), found, recipe(net))
    }, out$nets, nets) else list(),
    effects = Map(function(codes, estimates) stats::setNames(estimates, levels(codes)), effects, out$effects),
    fitted.values = stats::setNames(out$fitted, rows),
    residuals = stats::setNames(out$residuals, rows),
    activation = activation, penalty = out$penalty, edf = out$edf, rank = out$rank,
    r.squared = out$r_squared, within.r.squared = out$within_r_squared,
    sum.of.squares = out$sum_of_squares, weights = stats::model.weights(frame),
    searches = as.data.frame(lapply(out$searches, unlist)), messages = as.character(unlist(out$messages)), converged = out$converged,
    linear = recipe(linear), na.action = attr(frame, "na.action"), version = 1L
  )
  class(fit) <- "matbn"
  fit
}
