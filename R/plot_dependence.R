# Plots of partial dependence, as curves or points.

#' Plot of a partial dependence
#'
#' Draws mean predictions by one variable: numbers and dates as a line with a confidence band, factors and other labels as
#' points with bars.
#'
#' @param x what [partial_dependence()] returns: a data frame of class `matbn_dependence` with a column of the variable's
#'   values, named after it, and the columns `estimate`, `std.error`, `conf.low` and `conf.high`; its attribute `variable` is
#'   the variable's name.
#' @param xlab,ylab labels of the axes.
#' @param ylim range of the vertical axis.
#' @param ... nothing more; what is not known is an error.
#' @return `x`, invisibly.
#' @examples
#' fit <- matbn(weight ~ Time:Diet + net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' plot(partial_dependence(fit, "Time", level = 0.9), ylab = "mean weight")
#' @export
plot.matbn_dependence <- function(x, xlab = attr(x, "variable"), ylab = "mean prediction", ylim = NULL, ...) {
  nothing_more("plot() of a partial dependence", ...)
  with_call(sys.call(), {
    check_dependence(x)
    for (label in list(xlab, ylab)) {
      if (!(is.character(label) && length(label) == 1L || is.language(label) && !inherits(label, "formula"))) {
        refuse("xlab and ylab must be one string each, or an expression as in plotmath", "ElementTypeError")
      }
    }
    if (!is.null(ylim) && (!is.numeric(ylim) || length(ylim) != 2L || !all(is.finite(ylim)))) {
      refuse("ylim must be two numbers, the ends of the vertical axis", "ArgumentError")
    }
  })
  if (is.null(ylim)) ylim <- span(list(x))
  in_panels(1L, draw_dependence(x, xlab, ylab, ylim), below = depth_of(list(x)))
  invisible(x)
}

# Refuse a frame of which users have kept a part of the columns.
check_dependence <- function(x) {
  lacking <- setdiff(c(attr(x, "variable"), "estimate", "conf.low", "conf.high"), names(x))
  if (length(lacking) || is.null(attr(x, "variable"))) {
    refuse(
      paste0(
        "x is no longer what partial_dependence() returned: it has no ",
        if (length(lacking)) paste("column", listed(lacking)) else "attribute variable"
      ),
      "ArgumentError"
    )
  }
  if (!nrow(x)) refuse("x has no rows to draw", "ArgumentError")
}

dependence_curves <- function(object, variables, vcov, correction, level) {
  variables <- if (is.null(variables)) plain_variables(object) else as_variables(variables, variables_of(object))
  if (!length(variables)) refuse("the fit has no variable whose effect could be drawn", "ArgumentError")
  lapply(stats::setNames(variables, variables), function(name) {
    partial_dependence(object, name, vcov = vcov, correction = correction, level = level)
  })
}

# The fit's variables, except matrices, which have no single value to vary.
plain_variables <- function(object) {
  data <- fitted_data(object)
  Filter(function(name) is.null(dim(data[[name]])), variables_of(object))
}

draw_curves <- function(curves, object) {
  label <- if (is.null(object$formula)) "mean prediction" else deparse1(object$frame$outcome)
  data <- fitted_data(object)
  in_panels(length(curves), below = depth_of(curves), for (name in names(curves)) {
    draw_dependence(curves[[name]], name, label, span(curves), data[[name]])
  })
}

span <- function(curves) range(unlist(lapply(curves, function(curve) curve[c("estimate", "conf.low", "conf.high")])), finite = TRUE)

draw_dependence <- function(curve, xlab, ylab, ylim, data = NULL) {
  at <- curve[[attr(curve, "variable")]]
  if (!is_scale(at)) return(draw_levels(curve, at, xlab, ylab, ylim))
  open_panel(at, ylim, xlab, ylab)
  if (!is.null(data)) draw_ticks(as.numeric(data))
  if (length(at) == 1L) draw_bars(as.numeric(at), curve) else draw_band(as.numeric(at), curve)
}

is_scale <- function(values) is.numeric(values) || inherits(values, c("Date", "POSIXct", "difftime"))

draw_band <- function(at, curve) {
  order <- order(at)
  at <- at[order]
  curve <- as.data.frame(curve)[order, ]
  known <- is.finite(curve$conf.low) & is.finite(curve$conf.high)
  graphics::polygon(
    c(at[known], rev(at[known])), c(curve$conf.low[known], rev(curve$conf.high[known])),
    col = shade[["pale_blue"]], border = NA
  )
  graphics::lines(at, curve$estimate, lwd = 2, col = shade[["blue"]])
}

draw_bars <- function(at, curve) {
  graphics::segments(at, curve$conf.low, at, curve$conf.high, lwd = 4, lend = "butt", col = shade[["pale_blue"]])
  graphics::points(at, curve$estimate, pch = 16L, col = shade[["blue"]])
}

draw_levels <- function(curve, at, xlab, ylab, ylim) {
  labels <- as.character(at)
  places <- seq_along(labels)
  slanted <- depth_of(list(curve)) > 3.4
  open_panel(c(0.5, length(labels) + 0.5), ylim, if (slanted) "" else xlab, ylab, draw = 2L)
  graphics::axis(1L, places, FALSE, tcl = -0.25, col = shade[["grey"]])
  if (slanted) {
    slanted_labels(places, shortened(labels, longest_label))
    graphics::mtext(xlab, 1L, graphics::par("mar")[1L] - 1.2, cex = graphics::par("cex"), col = shade[["ink"]])
  } else {
    graphics::mtext(labels, 1L, 0.5, at = places, cex = graphics::par("cex"), col = shade[["ink"]])
  }
  draw_bars(places, curve)
}

longest_label <- 24L

slanted_labels <- function(places, labels) {
  below <- graphics::grconvertY(graphics::grconvertY(0, "npc", "lines") - 0.6, "lines", "user")
  graphics::text(places, below, labels, srt = 40, adj = c(1, 0.8), xpd = NA, col = shade[["ink"]])
}

# How many lines of margin below the labels of levels need: more where they are too wide and must slant.
depth_of <- function(curves) {
  labels <- lapply(curves, function(curve) {
    at <- curve[[attr(curve, "variable")]]
    if (is_scale(at)) "" else shortened(as.character(at), longest_label)
  })
  across <- if (prod(graphics::par("mfrow")) > 1L) graphics::par("mfrow")[2L] else ceiling(sqrt(min(length(curves), most_panels)))
  line <- graphics::par("csi") # inches
  width <- graphics::par("din")[1L] / across - 5 * line
  longest <- vapply(labels, function(own) max(nchar(own)), 0L)
  crowded <- longest * lengths(labels) * 0.5 * line > width
  if (any(crowded)) 2.6 + 0.33 * max(longest[crowded]) else 3.4
}

# Mark the data's values on the axis.
draw_ticks <- function(values) {
  values <- sort(unique(values))
  if (length(values) > 200L) values <- stats::quantile(values, seq(0, 1, length.out = 200L), names = FALSE)
  graphics::rug(values, ticksize = 0.02, col = shade[["grey"]], quiet = TRUE)
}
