# Plots of a fit's fitted values, residuals and searches.

fitted_points <- function(object) {
  counts <- counted(object)
  data.frame(
    fitted = unname(object$fitted.values)[counts], observed = unname(object$fitted.values + object$residuals)[counts]
  )
}

counted <- function(object) {
  if (is.null(object$weights)) rep(TRUE, length(object$residuals)) else as.vector(object$weights) > 0
}

draw_fitted <- function(points, object) {
  both <- range(points)
  in_panels(1L, {
    open_panel(both, both, "fitted", if (is.null(object$formula)) "observed" else paste("observed", deparse1(object$frame$outcome)))
    graphics::lines(both, both, col = shade[["grey"]])
    draw_points(points$fitted, points$observed)
    words <- as.expression(bquote(R^2 == .(sprintf("%.3f", object$r.squared))))
    if (length(object$effects)) {
      words <- c(words, as.expression(bquote("within " * R^2 == .(sprintf("%.3f", object$within.r.squared)))))
    }
    graphics::legend("topleft", legend = words, bty = "n", text.col = shade[["ink"]], inset = c(-0.02, 0))
  })
}

residual_points <- function(object) {
  counts <- counted(object)
  standardised <- standardised_residuals(object)[counts]
  data.frame(
    fitted = unname(object$fitted.values)[counts], residual = unname(object$residuals)[counts], std.resid = standardised,
    normal = stats::qqnorm(standardised, plot.it = FALSE)$x
  )
}

# Standardised residuals; without Python or degrees of freedom, residuals over their standard deviation.
standardised_residuals <- function(object) {
  from_python <- tryCatch(
    augment.matbn(object, data.frame(row = seq_along(object$residuals)))$.std.resid, matbn_error = function(e) NA_real_
  )
  if (!all(is.na(from_python))) return(from_python)
  weighted <- unname(object$residuals) * if (is.null(object$weights)) 1 else sqrt(as.vector(object$weights))
  weighted / stats::sd(weighted[counted(object)])
}

draw_residuals <- function(points) {
  in_panels(2L, {
    open_panel(points$fitted, points$residual, "fitted", "residual")
    graphics::abline(h = 0, col = shade[["grey"]])
    draw_points(points$fitted, points$residual)
    if (length(unique(points$fitted)) > 3L) {
      graphics::lines(stats::lowess(points$fitted, points$residual), lwd = 2, col = shade[["orange"]])
    }
    known <- points[!is.na(points$normal), ]
    open_panel(known$normal, known$std.resid, "normal quantile", "standardised residual")
    if (nrow(known) > 1L) stats::qqline(known$std.resid, col = shade[["grey"]])
    draw_points(known$normal, known$std.resid)
  })
}

search_traces <- function(object) {
  if (!nrow(object$searches)) refuse("the fit has no nets, so that nothing was searched and there is no trace", "ArgumentError")
  if (is.null(object$traces)) refuse("the fit has no traces; fit it again with this version of matbn", "ArgumentError")
  lengths <- lengths(object$traces)
  if (!sum(lengths)) refuse("the fit's searches made no iteration, so that there is no trace", "ArgumentError")
  data.frame(
    search = rep(seq_along(lengths), lengths), iteration = sequence(lengths), loss = as.double(unlist(object$traces))
  )
}

decades <- 6

draw_traces <- function(traces, searches) {
  traces <- traces[is.finite(traces$loss), ]
  least <- min(searches$loss, traces$loss)
  excess <- traces$loss - least
  top <- max(excess, 1e-12 * abs(least), 1e-300)
  floor <- 10^floor(log10(top) - decades)
  traces$excess <- pmax(excess, floor)
  ends <- do.call(rbind, lapply(split(traces, traces$search), utils::tail, 1L))
  in_panels(1L, {
    label <- paste0("loss above the least, ", format(least, digits = 4L))
    open_panel(traces$iteration, c(floor, top), "iteration", label, log = "y", draw = 1L)
    mark_decades(floor, top)
    for (own in rev(split(traces, traces$search))) {
      best <- own$search[1L] == 1L
      graphics::lines(own$iteration, own$excess, lwd = if (best) 2.5 else 1, col = shade[[if (best) "blue" else "grey"]])
    }
    draw_ends(ends, searches)
  })
}

# Mark powers of ten; the lowest stands for all values below it.
mark_decades <- function(floor, top) {
  powers <- seq(round(log10(floor)), base::floor(log10(top)))
  labels <- lapply(powers, function(power) if (power == powers[1L]) bquote("" <= 10^.(power)) else bquote(10^.(power)))
  mark_axis(0, 2L, at = 10^powers, labels = as.expression(labels))
}

draw_ends <- function(ends, searches) {
  converged <- startsWith(searches$status[ends$search], "converged")
  best <- ends$search == 1L
  colour <- ifelse(best, shade[["blue"]], shade[["grey"]])
  graphics::points(
    ends$iteration, ends$excess, pch = 21L, col = colour, bg = ifelse(converged, colour, "white"), xpd = NA,
    cex = ifelse(best, 1.2, 0.9)
  )
  others <- nrow(searches) - 1L
  shown <- c(TRUE, others > 0L, any(!converged))
  graphics::legend(
    "topright", c("the best search", if (others == 1L) "the other" else paste(others, "others"), "not converged")[shown],
    lwd = c(2.5, 1, NA)[shown], pch = c(NA, NA, 21L)[shown], col = shade[c("blue", "grey", "grey")][shown], bty = "n",
    text.col = shade[["ink"]]
  )
}
