# Plots, in base graphics: what plot() does with a fit, and what all plots share.

#' Plots of a fit
#'
#' Draws the partial dependence on variables, fitted values, residuals, searches or the net itself.
#'
#' * "effects": [partial_dependence()] of each variable, on one scale. Numbers are lines with bands and the data's values
#'   as ticks (quantiles where there are many), factors points with bars.
#' * "fitted": observed against fitted outcomes, with the line where both are equal.
#' * "residuals": residuals against fitted values with a smooth curve, and normal quantiles of standardised residuals. These
#'   are divided by their standard deviation alone where Python or degrees of freedom are lacking.
#' * "trace": by how much each search's loss, penalties included, exceeds the smallest one, on a log scale. The lowest mark
#'   stands for all values below it.
#' * "network": nodes and edges, whose widths show how large weights are. First-layer weights are A (\eqn{\Gamma_1} times \eqn{\gamma}) times the
#'   input's standard deviation, second-layer weights \eqn{\Gamma_2}, and the linear part's are coefficients times the
#'   column's standard deviation. Each of the three has a scale of its own, for all nets, with its widest edge in words.
#'
#' "fitted" and "residuals" leave out rows with weight 0, and draw 20,000 evenly spaced rows where there are more. If the
#' page has been divided already, as by `par(mfrow = )`, panels take their places there.
#'
#' @param x a fit by [matbn()].
#' @param which one or several of "effects", "fitted", "residuals", "trace" and "network". Several are drawn one after the
#'   other; on a screen R asks before the next.
#' @param variables,vcov,correction,level for "effects": names of variables, all by default, and what
#'   [partial_dependence()] takes.
#' @param ... nothing more; what is not known is an error.
#' @return What was drawn, invisibly; of several plots a list with their names.
#' * "effects": a list of data frames by [partial_dependence()], with the variables' names.
#' * "fitted": a data frame with columns `fitted` and `observed`.
#' * "residuals": a data frame with columns `fitted`, `residual`, `std.resid` and `normal`, the normal quantile.
#' * "trace": a data frame with columns `search` (1 is the best), `iteration` and `loss`.
#' * "network": a list of `nets` (each with A and Gamma2) and `linear`, as they are scaled for drawing.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' plot(fit)
#' plot(fit, c("fitted", "residuals"))
#' plot(fit, variables = "Time", vcov = ~ Chick, level = 0.9)
#' @export
plot.matbn <- function(x, which = "effects", variables = NULL, vcov = "iid", correction = "sandwich", level = 0.95, ...) {
  nothing_more("plot() of a fit", ...)
  given <- c(variables = !missing(variables), vcov = !missing(vcov), correction = !missing(correction), level = !missing(level))
  with_call(sys.call(), {
    check_kinds(which)
    if (any(given) && !"effects" %in% which) {
      refuse(paste0(names(given)[given][1L], " is for which = \"effects\" alone; leave it out"), "ArgumentError")
    }
    # Everything is computed, or refused, before the first page is drawn.
    shown <- lapply(stats::setNames(which, which), function(kind) {
      switch(kind,
        effects = dependence_curves(x, variables, vcov, correction, level), fitted = fitted_points(x),
        residuals = residual_points(x), trace = search_traces(x), network = drawn_weights(x)
      )
    })
  })
  asking_between(length(which), for (kind in which) {
    switch(kind,
      effects = draw_curves(shown$effects, x), fitted = draw_fitted(shown$fitted, x), residuals = draw_residuals(shown$residuals),
      trace = draw_traces(shown$trace, x$searches), network = draw_network(shown$network, x)
    )
  })
  invisible(if (length(which) == 1L) shown[[1L]] else shown)
}

plot_kinds <- c("effects", "fitted", "residuals", "trace", "network")

check_kinds <- function(which) {
  if (!is.character(which) || !length(which)) {
    refuse(paste0("which must name plots: one or several of ", listed(plot_kinds)), "ElementTypeError")
  }
  unknown <- setdiff(which, plot_kinds)
  if (length(unknown)) {
    refuse(paste0("which has '", unknown[1L], "', but there are ", listed(plot_kinds)), "ArgumentError")
  }
}

# Draw, asking before each further page on a screen.
asking_between <- function(pages, code) {
  if (pages > 1L && grDevices::dev.interactive()) {
    before <- grDevices::devAskNewPage(TRUE)
    on.exit(grDevices::devAskNewPage(before))
  }
  code
}

# Blue and orange, which the colour-blind can tell apart, and greys.
shade <- c(
  blue = "#2a6f97", pale_blue = "#d5e3eb", orange = "#d1693c", pale_orange = "#f4ddd1", grey = "#8c8c8c", pale_grey = "#dcdcdc",
  ink = "#262626"
)

most_panels <- 12L

# Draw several panels on one page, near square, unless the page is divided already; `below` is the margin that their labels
# need, in lines.
in_panels <- function(count, code, below = 3.4) {
  own <- count > 1L && prod(graphics::par("mfrow")) == 1L
  if (own || below > graphics::par("mar")[1L]) {
    # Restored in this order, because mfrow changes cex.
    before <- graphics::par("mfrow", "mar", "cex")
    if (!own) before$mfrow <- NULL
    on.exit(graphics::par(before))
  }
  if (own) {
    on_page <- min(count, most_panels)
    columns <- ceiling(sqrt(on_page))
    graphics::par(mfrow = c(ceiling(on_page / columns), columns), mar = c(below, 3.6, 2.2, 1))
  } else if (below > graphics::par("mar")[1L]) {
    graphics::par(mar = replace(graphics::par("mar"), 1L, below))
  }
  asking_between(if (own) ceiling(count / most_panels) else 1, code)
}

# Draw empty axes. The y axis's label stands above it, where there is room however wide its numbers are.
open_panel <- function(x, y, xlab, ylab, log = "", draw = 1:2) {
  graphics::plot.new()
  graphics::plot.window(range(x, finite = TRUE), range(y, finite = TRUE), log = log)
  for (side in draw) mark_axis(x, side)
  graphics::mtext(xlab, 1L, 2.1, cex = graphics::par("cex"), col = shade[["ink"]])
  label_above(ylab)
}

# Draw an axis, with R's own labels for dates on x.
mark_axis <- function(x, side, ...) {
  style <- list(side = side, las = 1L, tcl = -0.25, mgp = c(2, 0.5, 0), col = shade[["grey"]], col.axis = shade[["ink"]], ...)
  if (side == 1L && is.object(x)) do.call(graphics::Axis, c(list(x), style)) else do.call(graphics::axis, style)
}

label_above <- function(label) {
  if (is.character(label)) label <- shortened(label, 60L)
  graphics::mtext(label, 3L, 0.6, adj = 0, cex = graphics::par("cex"), col = shade[["ink"]])
}

shortened <- function(labels, most) ifelse(nchar(labels) > most, paste0(substr(labels, 1L, most - 2L), ".."), labels)

most_points <- 20000L

# Draw points, smaller and more transparent the more there are.
draw_points <- function(x, y) {
  n <- length(x)
  kept <- if (n > most_points) round(seq(1, n, length.out = most_points)) else seq_len(n)
  few <- min(1, sqrt(150 / n))
  colour <- grDevices::adjustcolor(shade[["blue"]], max(0.12, 0.75 * few))
  graphics::points(x[kept], y[kept], pch = 16L, cex = max(0.4, 0.9 * sqrt(few)), col = colour)
}
