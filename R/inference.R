# Standard errors of fits, which Python computes from the model and the solution that a fit keeps.

#' Standard errors, tests and intervals of fitted nets
#'
#' A fit is, to first order, a linear regression on its own derivatives: batch norm is folded into the weights, fixed effects
#' are taken out, and the penalty is a ridge. All errors come from that regression, and need Python.
#'
#' `vcov = "iid"` assumes equal variances (over the weights), "HC0" to "HC3" allow unequal ones (a row with leverage 1,
#' which is fitted exactly, adds nothing). A formula names clusters among the variables of the data and the fixed effects:
#' `~ id`; `~ id + year` for two ways of clustering, errors that are correlated within each; `~ id:year` (or `~ id^year`)
#' for one way, whose clusters are the combinations that occur. A named list or data frame of labels does too.
#'
#' `correction` is for small numbers G of clusters. "sandwich" multiplies by G/(G - 1) (N - 1)/(N - K), as vcovCL of
#' package sandwich does; K are effective degrees of freedom, fixed effects included. "fixest" takes the smallest G of the ways, and
#' counts fixed effects in K by the levels of those that do not lie within clusters; "plm" leaves them out of K; "none" is
#' 1. t statistics have N - K degrees of freedom, with clusters G - 1.
#'
#' Of a net, only what is identified has errors: each node's folded weights A (\eqn{\Gamma_1} times \eqn{\gamma}), shift c
#' and output weight Gamma2, up to the sign and order of nodes and a rectifier's scale.
#'
#' @param object a fit by [matbn()].
#' @param vcov,correction see Details.
#' @param part "linear" for the linear part, "nets", or "all"; what the data do not determine is refused.
#' @param parm which parameters, by name or number; all by default.
#' @param level of confidence.
#' @param complete whether linear coefficients that were dropped have rows and columns, of NA, as in [vcov()].
#' @param ... nothing more; what is not known is an error.
#' @return `vcov` a matrix, `confint` a matrix of bounds. `df.residual`, `deviance`, `sigma`, `logLik` and `nobs` are numbers
#'   as for [lm()], with effective degrees of freedom, in which fixed effects and nets count.
#' @name matbn-errors
NULL

#' @rdname matbn-errors
#' @importFrom stats vcov
#' @export
vcov.matbn <- function(object, vcov = "iid", part = c("linear", "nets", "all"), correction = "sandwich", complete = TRUE, ...) {
  nothing_more("vcov() of a fit", ...)
  part <- with_call(sys.call(), as_part(part))
  with_call(sys.call(), {
    flag(complete, "complete")
    out <- covariances(object, vcov, part, correction)
    known <- complete | !is.na(out$estimate)
    out$matrix[known, known, drop = FALSE]
  })
}

#' @rdname matbn-errors
#' @importFrom stats confint
#' @export
confint.matbn <- function(object, parm, level = 0.95, vcov = "iid", part = c("linear", "nets", "all"),
                          correction = "sandwich", ...) {
  nothing_more("confint() of a fit", ...)
  part <- with_call(sys.call(), as_part(part))
  with_call(sys.call(), {
    check_level(level)
    table <- coefficient_table(object, vcov, part, correction)
    sides <- bounds(table[, 1L], table[, 2L], attr(table, "df"), level, percentages(level))
    rownames(sides) <- rownames(table)
    if (missing(parm)) return(sides)
    check_parameters(parm, rownames(sides))
    sides[parm, , drop = FALSE]
  })
}

# Lower and upper bounds of estimates: Student's quantile times the spread to both sides.
bounds <- function(estimate, spread, df, level, sides = c("conf.low", "conf.high")) {
  half <- stats::qt((1 + level) / 2, df) * spread
  matrix(c(estimate - half, estimate + half), ncol = 2L, dimnames = list(names(estimate), sides))
}

# A data frame with the columns that all estimates have, from what Python has answered.
with_bounds <- function(frame, out, level) {
  frame$estimate <- out$estimate
  frame$std.error <- known_errors(out$error)
  cbind(frame, bounds(out$estimate, frame$std.error, out$df, level))
}

percentages <- function(level) paste(format(100 * (1 + c(-level, level)) / 2, trim = TRUE, digits = 3L), "%")

as_part <- function(part) {
  if (is.character(part) && length(part) == 1L && part %in% gauge) not_identified(part)
  as_refusal(match.arg(part, c("linear", "nets", "all")), "part: ")
}

gauge <- c("Gamma1", "gamma", "beta")

not_identified <- function(name) {
  refuse(
    paste0(
      name, " is not identified: batch norm lets Gamma1 have any scale, and gamma and beta depend on which; what is identified",
      " are the folded weights A and c, part = \"nets\""
    ),
    "ArgumentError"
  )
}

check_parameters <- function(parm, known) {
  if (!is.character(parm)) {
    places <- is.numeric(parm) && all(abs(parm) %in% seq_along(known))
    if (places || is.logical(parm)) return(invisible())
    refuse(paste0("parm must be names or numbers of parameters, of which there are ", length(known)), "ArgumentError")
  }
  unknown <- setdiff(parm, known)
  free <- unknown[sub("\\[.*", "", sub("^.*\\):", "", unknown)) %in% gauge]
  if (length(free)) not_identified(free[1L])
  if (length(unknown)) refuse(paste0("there is no ", listed(unknown), " among ", listed(known, 20L)), "ArgumentError")
}

#' @rdname matbn-errors
#' @importFrom stats df.residual
#' @export
df.residual.matbn <- function(object, ...) {
  nothing_more("df.residual() of a fit", ...)
  object$N.counted - degrees(object)
}

#' @rdname matbn-errors
#' @importFrom stats deviance
#' @export
deviance.matbn <- function(object, ...) {
  nothing_more("deviance() of a fit", ...)
  object$residual.norm^2
}

#' @rdname matbn-errors
#' @importFrom stats sigma
#' @export
sigma.matbn <- function(object, ...) {
  nothing_more("sigma() of a fit", ...)
  left <- df.residual.matbn(object)
  if (left > 0) object$residual.norm / sqrt(left) else NA_real_
}

#' @rdname matbn-errors
#' @importFrom stats logLik
#' @export
logLik.matbn <- function(object, ...) {
  nothing_more("logLik() of a fit", ...)
  w <- if (is.null(object$weights)) rep(1, length(object$residuals)) else object$weights
  w <- w[w > 0]
  N <- length(w)
  value <- 0.5 * (sum(log(w)) - N * (log(2 * pi) + 1 - log(N) + 2 * log(object$residual.norm)))
  structure(value, df = degrees(object) + 1, nobs = N, class = "logLik")
}

# Effective degrees of freedom; the rank of the linear part and the fixed effects where they are unknown.
degrees <- function(object) if (is.null(object$edf)) object$rank else object$edf

# A matrix with a row for each estimate: its error, t statistic and p value.
coefficient_table <- function(object, vcov, part, correction) {
  out <- covariances(object, vcov, part, correction)
  known <- !is.na(out$estimate)
  error <- rep(NA_real_, length(known))
  error[known] <- known_errors(out$error[known])
  t <- out$estimate / error
  table <- cbind(Estimate = out$estimate, "Std. Error" = error, "t value" = t, "Pr(>|t|)" = 2 * stats::pt(-abs(t), out$df))
  rownames(table) <- rownames(out$matrix)
  structure(table, df = out$df, kind = out$kind)
}

# Standard errors, NA with a warning where they are NaN: inclusion and exclusion of several ways of clustering may leave
# a variance below 0.
known_errors <- function(errors) {
  lost <- is.nan(errors)
  if (any(lost)) {
    warned(
      paste0(
        sum(lost), " of ", length(lost), " standard errors are NA: several ways of clustering leave a variance below 0 there;",
        " cluster by one way, or by the combinations, as in ~ a:b"
      ),
      "matbn_InferenceWarning", NULL
    )
  }
  replace(errors, lost, NA_real_)
}

# Estimates and covariances of the identified parameters, with the names that Python gives them.
covariances <- function(object, vcov, part, correction) {
  out <- bridge_call(
    "covariances", object$model, solution(object), errors_wanted(object, vcov), part, text(correction, "correction")
  )
  names <- as.character(unlist(out$names))
  out$matrix <- matrix(out$matrix, length(names), dimnames = list(names, names))
  out
}

# What Python needs besides the model to put the fit together again.
solution <- function(object) {
  list(
    coefficients = object$coefficients, nets = lapply(unname(object$nets), `[`, c("Gamma1", "gamma", "beta", "Gamma2", "mean")),
    effects = unname(object$effects), theta = object$theta, activation = object$activation, penalty = object$penalty,
    linear_penalty = object$linear.penalty, tol = object$tol, residuals = object$residuals, residual_norm = object$residual.norm,
    rank = object$rank, edf = object$edf
  )
}
