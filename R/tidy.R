# Fits as data frames: methods for broom's generics, which package generics holds.

#' Fits as data frames
#'
#' Methods for the generics `tidy`, `glance` and `augment`, which packages such as broom export.
#'
#' @param x a fit by [matbn()].
#' @param conf.int,conf.level whether to add confidence bounds, and their level.
#' @param vcov,part,correction see [matbn-errors].
#' @param data the rows that were fitted; by default those of their variables that the fit holds.
#' @param ... nothing more; what is not known is an error.
#' @return A data frame: of coefficients; of one row with statistics of the whole fit; or of the fit's rows with `.fitted`,
#'   `.resid`, `.hat` (leverages) and `.std.resid`.
#' @name matbn-tidy
#' @examples
#' fit <- matbn(uptake ~ Type + net(conc, size = 2), CO2, penalty = 1e-3)
#' if (requireNamespace("generics", quietly = TRUE)) generics::tidy(fit, vcov = ~ Plant)
NULL

#' @rdname matbn-tidy
#' @exportS3Method generics::tidy
tidy.matbn <- function(x, conf.int = FALSE, conf.level = 0.95, vcov = "iid", part = c("linear", "nets", "all"),
                       correction = "sandwich", ...) {
  nothing_more("tidy() of a fit", ...)
  part <- with_call(sys.call(), as_part(part))
  with_call(sys.call(), {
    check_level(conf.level)
    table <- coefficient_table(x, vcov, part, correction)
    frame <- data.frame(
      term = as.character(rownames(table)), estimate = table[, 1L], std.error = table[, 2L], statistic = table[, 3L],
      p.value = table[, 4L], row.names = NULL
    )
    if (!flag(conf.int, "conf.int")) return(frame)
    cbind(frame, bounds(frame$estimate, frame$std.error, attr(table, "df"), conf.level))
  })
}

#' @rdname matbn-tidy
#' @exportS3Method generics::glance
glance.matbn <- function(x, ...) {
  nothing_more("glance() of a fit", ...)
  log_likelihood <- logLik.matbn(x)
  data.frame(
    r.squared = x$r.squared, within.r.squared = if (length(x$effects)) x$within.r.squared else NA_real_,
    sigma = sigma.matbn(x), rmse = rmse_of(x), logLik = as.numeric(log_likelihood), AIC = stats::AIC(log_likelihood),
    BIC = stats::BIC(log_likelihood), deviance = x$residual.norm^2, df.residual = df.residual.matbn(x), edf = degrees(x),
    nobs = x$N.counted, penalty = x$penalty, converged = x$converged
  )
}

#' @rdname matbn-tidy
#' @exportS3Method generics::augment
augment.matbn <- function(x, data = fitted_data(x), ...) {
  nothing_more("augment() of a fit", ...)
  with_call(sys.call(), {
    if (!is.data.frame(data)) refuse(paste0("data is of class ", class(data)[1L], ", but must be a data frame"), "ElementTypeError")
    if (NROW(data) != length(x$residuals)) {
      refuse(paste0("data has ", NROW(data), " rows, but the fit ", length(x$residuals)), "ShapeError")
    }
    hat <- bridge_call("leverages", x$model, solution(x))
    w <- if (is.null(x$weights)) 1 else x$weights
    data.frame(
      data, .fitted = unname(x$fitted.values), .resid = unname(x$residuals), .hat = hat,
      .std.resid = ifelse(hat < 1, unname(sqrt(w) * x$residuals / (sigma.matbn(x) * sqrt(pmax(1 - hat, 0)))), NA), check.names = FALSE
    )
  })
}

rmse_of <- function(object) {
  object$residual.norm / sqrt(if (is.null(object$weights)) length(object$residuals) else sum(object$weights))
}
