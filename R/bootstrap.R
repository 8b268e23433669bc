# The bootstrap of fits.

#' Bootstrap
#'
#' Fits the model again and again to rows (pairs bootstrap) or whole groups (cluster bootstrap) that are drawn with
#' replacement, each time from where the fit ended and with its penalty. It needs Python, which computes the default
#' statistics in parallel; a `statistic` of your own is computed in R.
#'
#' @param object a fit by [matbn()].
#' @param statistic a function of a fit that returns numbers; by default linear coefficients, then average marginal effects
#'   of all numeric variables.
#' @param replicates how many times rows or groups are drawn.
#' @param by groups that are drawn as a whole, as a formula with one variable or a vector; rows by default.
#' @param seed of the draws; by default from R's generator.
#' @param progress whether to show a progress bar (for the default statistics on a terminal, after a second).
#' @param x,level,digits,... for printing; `level` of the percentile intervals.
#' @return A list of class `matbn_bootstrap`, with `estimate` (the fit's own), `draws` (a row for each replicate) and
#'   `groups` (how many were drawn). [confint()] and [vcov()] work on it. An interrupt (Ctrl-C, Esc) returns the replicates
#'   that had ended, with a warning of class `matbn_ConvergenceWarning`, if they are two or more.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' bootstrap(fit, by = ~ Chick, replicates = 50)
#' new <- data.frame(Time = 30, Diet = "1", Chick = "1")
#' bootstrap(fit, function(fit) predict(fit, new, unseen = "zero"), replicates = 20)
#' @export
bootstrap <- function(object, statistic = NULL, replicates = 999, by = NULL, seed = NULL, progress = interactive()) {
  with_call(sys.call(), {
    as_a_fit(object)
    whole(replicates, "replicates")
    seed <- if (is.null(seed)) sample.int(.Machine$integer.max, 1L) else as_seed(seed)
    units <- if (is.null(by)) NULL else unit_codes(object, by)
    if (is.null(statistic)) {
      data <- fitted_data(object)
      variables <- numbers_of(object)
      out <- bridge_call(
        "bootstrap", object$model, solution(object), lapply(variables, function(name) change_with(object, data, name)),
        as.double(replicates), if (!is.null(units)) as.double(units - 1L), number(seed, "seed"),
        as.double(flag(progress, "progress"))
      )
      names <- c(names(object$coefficients), if (length(variables)) paste("effect of", variables))
      out$draws <- matrix(out$draws, ncol = length(names), dimnames = list(NULL, names))
      out$estimate <- stats::setNames(as.vector(out$estimate), names)
    } else {
      out <- with_own_seed(seed, own_bootstrap(object, statistic, replicates, units, flag(progress, "progress")))
    }
    out$seed <- seed
    structure(out, class = "matbn_bootstrap")
  })
}

own_bootstrap <- function(object, statistic, replicates, units, progress) {
  if (!is.function(statistic)) refuse("statistic must be a function of a fit", "ElementTypeError")
  value_of <- function(fit) {
    value <- as_refusal(statistic(fit), "statistic stops: ")
    if (!is.numeric(value)) refuse(paste0("statistic must return numbers, but returned a ", class(value)[1L]), "ElementTypeError")
    value
  }
  estimate <- value_of(object)
  if (!any(is.finite(estimate))) {
    refuse("statistic has no finite values for the fit itself: there is nothing to bootstrap", "ArgumentError")
  }
  N <- length(object$residuals)
  if (is.null(units)) units <- seq_len(N)
  groups <- max(units)
  if (groups < 2L) refuse("by has one group only; at least two must be there to be drawn", "ArgumentError")
  bridge_call("check_memory", paste(format(replicates), "replicates"), replicates * length(estimate), "take fewer replicates")
  draws <- matrix(NA_real_, replicates, length(estimate), dimnames = list(NULL, names(estimate)))
  ended <- 0L
  bar <- if (progress) utils::txtProgressBar(max = replicates, style = 3L, file = stderr())
  on.exit(if (progress) close(bar))
  draw <- function(k) {
    if (progress) utils::setTxtProgressBar(bar, k)
    counts <- as.double(tabulate(sample.int(groups, replace = TRUE), groups)[units])
    value <- tryCatch(value_of(replicate_of(object, counts)), matbn_error = function(e) NULL)
    if (!is.null(value)) {
      if (length(value) != length(estimate)) {
        refuse("statistic returns vectors of different lengths; it must return as many numbers each time", "ShapeError")
      }
      draws[k, ] <<- value
    }
    ended <<- k
  }
  tryCatch(for (k in seq_len(replicates)) draw(k), interrupt = function(e) NULL)
  if (ended < replicates) {
    draws <- draws[seq_len(ended), , drop = FALSE]
    if (sum(rowSums(!is.na(draws)) > 0) < 2L) raise("", "interrupt", sys.call(-1))
    warned(
      paste0(
        "the bootstrap was interrupted when ", ended, " of ", replicates,
        " replicates had ended: errors and bounds are of these"
      ),
      "matbn_ConvergenceWarning", sys.call(-1)
    )
  }
  list(estimate = estimate, draws = draws, groups = groups)
}

# The fit to rows that count so many times each: the same object with other numbers.
replicate_of <- function(object, counts) {
  rows <- counts * (if (is.null(object$weights)) 1 else object$weights) > 0
  out <- bridge_call("refit", object$model, solution(object), counts)
  fit <- object
  fit$coefficients[] <- replace(out$coefficients, is.nan(out$coefficients), NA)
  fit$nets <- Map(function(net, solved) {
    solved$Gamma1 <- matrix(solved$Gamma1, ncol = length(net$gamma), dimnames = dimnames(net$Gamma1))
    utils::modifyList(net, solved)
  }, object$nets, out$nets)
  at <- function(x) if (is.null(x)) NULL else x[rows]
  fit$effects <- Map(function(old, codes, estimates) {
    stats::setNames(estimates, names(old)[sort(unique(codes[rows]))])
  }, object$effects, lapply(object$model$effects, as.integer), out$effects)
  fit$offset <- at(object$offset)
  fit$residuals <- stats::setNames(out$residuals, names(object$residuals)[rows])
  fit$fitted.values <- stats::setNames(out$fitted + if (is.null(fit$offset)) 0 else fit$offset, names(fit$residuals))
  fit$weights <- counts[rows] * if (is.null(object$weights)) 1 else object$weights[rows]
  fit$N.counted <- sum(fit$weights > 0)
  for (name in c("theta", "rank", "edf")) fit[name] <- list(out[[name]])
  fit$r.squared <- out$r_squared
  fit$within.r.squared <- out$within_r_squared
  fit$residual.norm <- out$residual_norm
  fit$model <- list(
    y = object$model$y[rows],
    nets = lapply(object$model$nets, function(net) utils::modifyList(net, list(Z = net$Z[rows, , drop = FALSE]))),
    linear = if (!is.null(object$model$linear)) object$model$linear[rows, , drop = FALSE],
    linear_names = object$model$linear_names,
    effects = lapply(object$model$effects, function(codes) as.double(factor(codes[rows]))), weights = fit$weights,
    intercept = object$model$intercept
  )
  fit
}

as_seed <- function(seed) {
  seed <- number(seed, "seed")
  if (!isTRUE(seed >= 0 && seed < 2^31 && seed == round(seed))) {
    refuse(paste0("seed is ", seed, ", but must be a whole number from 0 to 2^31 - 1"), "ArgumentError")
  }
  seed
}

# Run code with a seed, and leave R's generator as it was.
with_own_seed <- function(seed, code) {
  if (!exists(".Random.seed", globalenv())) stats::runif(1L)
  old <- get(".Random.seed", globalenv())
  on.exit(assign(".Random.seed", old, globalenv()))
  set.seed(seed)
  code
}

#' @rdname bootstrap
#' @export
print.matbn_bootstrap <- function(x, level = 0.95, digits = max(3L, getOption("digits") - 3L), ...) {
  nothing_more("print() of a bootstrap", ..., .let = of_print)
  digits <- with_call(sys.call(), as_digits(digits))
  with_call(sys.call(), check_level(level))
  failed <- sum(rowSums(!is.na(x$draws)) == 0)
  cat(nrow(x$draws), " replicates of ", x$groups, " drawn", if (failed) paste0(", ", failed, " failed"), "\n", sep = "")
  table <- cbind(
    estimate = x$estimate, bias = colMeans(x$draws, na.rm = TRUE) - x$estimate,
    std.error = apply(x$draws, 2L, stats::sd, na.rm = TRUE), confint(x, level = level)
  )
  print(table, digits = digits)
  invisible(x)
}

#' @rdname bootstrap
#' @param parm which statistics, by name or number.
#' @export
confint.matbn_bootstrap <- function(object, parm, level = 0.95, ...) {
  nothing_more("confint() of a bootstrap", ...)
  with_call(sys.call(), check_level(level))
  sides <- t(apply(object$draws, 2L, stats::quantile, (1 + c(-level, level)) / 2, na.rm = TRUE, names = FALSE))
  dimnames(sides) <- list(names(object$estimate), percentages(level))
  if (missing(parm)) sides else sides[with_call(sys.call(), chosen_statistics(object, parm)), , drop = FALSE]
}

#' @rdname bootstrap
#' @export
vcov.matbn_bootstrap <- function(object, ...) {
  nothing_more("vcov() of a bootstrap", ...)
  stats::cov(object$draws, use = "complete.obs")
}
