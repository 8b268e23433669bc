# Plots of the scores of sizes and penalties.

#' Plot of a choice of sizes and penalties
#'
#' Draws the mean squared error (with a standard error to both sides) or BIC of what [choose_fit()] has tried: against sizes,
#' with a line for each penalty, or against penalties on a log axis if only these differ. A circle marks the best.
#'
#' @param x what [choose_fit()] returns.
#' @param ... nothing; what is not known is an error.
#' @return The table of scores, invisibly, with a logical column `best`.
#' @examples
#' fit <- matbn(weight ~ net(Time, size = 2) | Chick, ChickWeight, penalty = 1e-4)
#' plot(choose_fit(fit, sizes = c(1, 2, 4), penalties = c(1e-5, 1e-3)))
#' @export
plot.matbn_choice <- function(x, ...) {
  nothing_more("plot() of a choice", ...)
  with_call(sys.call(), {
    if (!any(is.finite(x$table$score))) refuse("x has no finite score to draw", "ArgumentError")
  })
  table <- x$table
  table$best <- seq_len(nrow(table)) == which.min(table$score)
  label <- if (x$criterion == "bic") "BIC" else "mean squared error"
  by_size <- length(unique(table$size)) > 1L
  in_panels(1L, if (by_size) draw_by_size(table, label) else draw_by_penalty(table, label))
  invisible(table)
}

draw_by_size <- function(table, label) {
  lines <- split(table, table$penalty)
  lines <- lines[order(as.numeric(names(lines)))]
  colours <- grDevices::colorRampPalette(c("#9dc3d6", shade[["blue"]], "#0d2c40"))(length(lines))
  if (length(lines) == 1L) colours <- shade[["blue"]]
  shift <- (seq_along(lines) - (length(lines) + 1) / 2) * 0.03 * min(diff(sort(unique(table$size)))) # side by side
  several <- length(lines) > 1L
  open_panel(c(table$size, range(table$size) + range(shift)), room_above(table, several), "size", label, draw = 2L)
  mark_axis(0, 1L, at = unique(table$size))
  for (k in seq_along(lines)) draw_scores(lines[[k]]$size + shift[k], lines[[k]], colours[k])
  mark_best(table$size[table$best] + shift[match(table$penalty[table$best], as.numeric(names(lines)))], table)
  if (several) {
    graphics::legend(
      "top", names(lines), title = "penalty", lwd = 2, col = colours, ncol = min(length(lines), 5L), bty = "n",
      text.col = shade[["ink"]], title.col = shade[["ink"]]
    )
  }
}

draw_by_penalty <- function(table, label) {
  at <- on_log_axis(table$penalty)
  open_panel(at, room_above(table, FALSE), "penalty", label, log = "x", draw = 2L)
  mark_axis(0, 1L, at = at, labels = vapply(table$penalty, format, "", digits = 2L))
  draw_scores(at, table, shade[["blue"]])
  mark_best(at[table$best], table)
}

# A penalty of 0 stands a decade below the others.
on_log_axis <- function(penalty) {
  least <- if (any(penalty > 0)) min(penalty[penalty > 0]) else 1
  ifelse(penalty > 0, penalty, least / 10)
}

room_above <- function(table, legend) {
  error <- if (is.null(table$error)) 0 else ifelse(is.finite(table$error), table$error, 0)
  ends <- range(table$score - error, table$score + error, finite = TRUE)
  if (legend) ends[2L] <- ends[2L] + 0.2 * diff(ends)
  ends
}

draw_scores <- function(at, table, colour) {
  order <- order(at)
  if (!is.null(table$error)) {
    graphics::segments(at, table$score - table$error, at, table$score + table$error, col = colour)
  }
  graphics::lines(at[order], table$score[order], lwd = 2, col = colour)
  graphics::points(at, table$score, pch = 16L, col = colour)
}

mark_best <- function(at, table) {
  graphics::points(at, table$score[table$best], pch = 1L, cex = 2.4, lwd = 2.5, col = shade[["orange"]])
}
