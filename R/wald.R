# Wald tests of variables within a fit, and F tests of nested fits.

#' Tests of variables, and of nested fits
#'
#' `wald_test` tests for each variable that it has no effect: that all first-layer weights and linear coefficients of
#' columns that it is part of are 0. The statistic \eqn{\theta' V^+ \theta / q} is compared with F on q and the degrees
#' of freedom of `vcov`. A penalty pulls weights towards 0, so that the test is conservative.
#'
#' `anova` of several fits to the same outcomes compares each with the one before, as [anova.lm()] does, with effective
#' degrees of freedom; other models that have `deviance`, `df.residual` and `residuals` may be among them. Between different
#' numbers of nodes it is not a test: where a node has no effect, its weights are not identified, and the statistic has
#' another distribution; [choose_fit()] compares sizes. `anova` of one fit gives its Wald tests.
#'
#' @param object a fit by [matbn()].
#' @param variables names of variables; all by default.
#' @param vcov,correction what is assumed about the errors; see [matbn-errors].
#' @param ... further fits, from small to large.
#' @return A data frame of class `anova`; that of `wald_test` has an attribute `rank`: how many of the nets' and the linear
#'   part's parameters the data determine, and how many there are.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' wald_test(fit, vcov = ~ Chick)
#' anova(matbn(weight ~ net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4), fit)
#' @export
wald_test <- function(object, variables = NULL, vcov = "iid", correction = "sandwich") {
  with_call(sys.call(), {
    as_a_fit(object)
    known <- variables_of(object, offset = FALSE)
    variables <- as_variables(variables, known)
    if (!length(variables)) refuse("the fit has no variables to test", "ArgumentError")
    out <- bridge_call(
      "wald", object$model, solution(object), as.list(variables),
      lapply(variables, function(name) columns_with(object, name, known)), errors_wanted(object, vcov), text(correction, "correction")
    )
    table <- data.frame(Df = out$numerator, F = out$F, p = out$p, row.names = make.unique(variables))
    names(table)[3L] <- "Pr(>F)"
    about <- paste0("Wald tests that a variable has no effect (errors ", out$kind, ", ", format(out$df, digits = 4L), " df)\n")
    structure(table, heading = about, rank = c(out$rank, out$parameters), class = c("anova", "data.frame"))
  })
}

#' @rdname wald_test
#' @importFrom stats anova
#' @export
anova.matbn <- function(object, ..., vcov = "iid", correction = "sandwich") {
  call <- sys.call()
  for (k in seq_len(...length())) {
    name <- name_of_dot(k, ...names())
    if (nzchar(name)) refuse_argument(name, call[[name]], "anova() of fits", names(formals(anova.matbn)), call)
  }
  others <- list(...)
  if (!length(others)) return(with_call(call, wald_test(object, vcov = vcov, correction = correction)))
  with_call(call, {
    fits <- c(list(object), others)
    y <- lapply(fits, function(fit) {
      as_refusal(as.vector(stats::fitted(fit)) + as.vector(stats::residuals(fit)), "not a fit: ")
    })
    for (k in seq_along(y)[-1L]) {
      if (length(y[[k]]) != length(y[[1L]]) || !isTRUE(all.equal(y[[k]], y[[1L]], tolerance = 1e-13))) {
        refuse(paste0("fit ", k, " is to other outcomes or rows than fit 1; fit both to the same"), "ArgumentError")
      }
      w <- lapply(fits[c(1L, k)], function(fit) as.vector(stats::weights(fit)))
      if (!identical(is.null(w[[1L]]), is.null(w[[2L]])) || !isTRUE(all.equal(w[[1L]], w[[2L]]))) {
        refuse(paste0("fit ", k, " has other weights than fit 1"), "ArgumentError")
      }
    }
    df <- vapply(fits, function(fit) as.double(stats::df.residual(fit)), 0)
    norms <- vapply(fits, function(fit) if (inherits(fit, "matbn")) fit$residual.norm else sqrt(stats::deviance(fit)), 0)
    squares <- norms^2
    gained <- c(NA, -diff(df))
    difference <- c(NA, -diff(squares))
    relative <- c(NA, -diff((norms / norms[which.min(df)])^2)) # squares of small outcomes may be too small for a double
    F <- ifelse(abs(gained) > 1e-6, relative / gained * min(df), NA)
    table <- data.frame(
      Res.Df = df, RSS = squares, Df = gained, "Sum of Sq" = difference, F = F,
      "Pr(>F)" = stats::pf(F, abs(gained), min(df), lower.tail = FALSE), check.names = FALSE
    )
    formulas <- vapply(fits, function(fit) deparse1(if (is.null(stats::formula(fit))) fit$call else stats::formula(fit)), "")
    heading <- c("Analysis of Variance Table\n", paste0(paste0("Model ", seq_along(fits), ": ", formulas, collapse = "\n"), "\n"))
    nodes <- vapply(fits, function(fit) sum(vapply(fit$nets, function(net) length(net$gamma), 0L)), 0L)
    if (any(diff(nodes) != 0L)) {
      heading <- c(heading, "Numbers of nodes differ: p is not a test's, for a node without effect has unidentified weights\n")
    }
    structure(table, heading = heading, class = c("anova", "data.frame"))
  })
}
