# Plots of bootstrap draws, as histograms.

#' Plot of a bootstrap
#'
#' Draws a histogram of each statistic's draws. A line shows the fit's own estimate; a bar below, and the darker part of the
#' histogram, show the percentile interval. Replicates that failed are left out.
#'
#' @param x what [bootstrap()] returns.
#' @param parm which statistics, by name or number; all by default, with 12 to a page.
#' @param level of the percentile interval.
#' @param ... nothing more; what is not known is an error.
#' @return A matrix with a row for each statistic, invisibly: the estimate and the interval's bounds, as [confint()] has them.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' plot(bootstrap(fit, by = ~ Chick, replicates = 50))
#' @export
plot.matbn_bootstrap <- function(x, parm = NULL, level = 0.95, ...) {
  nothing_more("plot() of a bootstrap", ...)
  with_call(sys.call(), {
    check_level(level)
    chosen <- chosen_statistics(x, parm)
    x$estimate <- named_statistics(x)[chosen]
    x$draws <- x$draws[, chosen, drop = FALSE]
    if (any(colSums(is.finite(x$draws)) == 0L)) refuse("x has no finite draws to show; all replicates failed", "ArgumentError")
  })
  table <- cbind(estimate = x$estimate, confint.matbn_bootstrap(x, level = level))
  in_panels(nrow(table), for (k in seq_len(nrow(table))) draw_histogram(x$draws[, k], table[k, ], rownames(table)[k]))
  invisible(table)
}

named_statistics <- function(x) {
  if (is.null(names(x$estimate))) names(x$estimate) <- paste("statistic", seq_along(x$estimate))
  x$estimate
}

chosen_statistics <- function(x, parm) {
  known <- names(named_statistics(x))
  if (is.null(parm)) return(seq_along(known))
  if (!is.character(parm) && !is.numeric(parm)) refuse("parm must be names or numbers of statistics", "ElementTypeError")
  places <- if (is.character(parm)) match(parm, known) else match(parm, seq_along(known))
  if (!length(parm) || anyNA(places)) {
    refuse(paste0("parm has '", parm[is.na(places)][1L], "', but the statistics are ", listed(known, 20L)), "ArgumentError")
  }
  places
}

draw_histogram <- function(draws, marks, label) {
  bars <- graphics::hist(draws[is.finite(draws)], breaks = "FD", plot = FALSE)
  top <- max(bars$counts)
  open_panel(c(bars$breaks, marks), c(-0.08 * top, 1.02 * top), label, "draws", draw = 1L)
  mark_axis(0, 2L, at = Filter(function(tick) tick >= 0, graphics::axTicks(2L)))
  inside <- bars$mids >= marks[2L] & bars$mids <= marks[3L]
  graphics::rect(
    bars$breaks[-length(bars$breaks)], 0, bars$breaks[-1L], bars$counts, border = "white", lwd = 0.5,
    col = ifelse(inside, "#8fb3c8", shade[["pale_blue"]])
  )
  graphics::segments(marks[2L], -0.05 * top, marks[3L], -0.05 * top, lwd = 4, lend = "butt", col = shade[["blue"]])
  graphics::segments(marks[1L], -0.08 * top, marks[1L], top, lwd = 2, col = shade[["orange"]])
}
