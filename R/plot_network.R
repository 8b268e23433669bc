# A fit's nets and linear part, drawn as a network.

# Weights as they compare: folded first-layer weights for standardised inputs, output weights, and the linear part's
# coefficients for standardised columns.
drawn_weights <- function(object) {
  nets <- Map(function(net, known) {
    A <- sweep(net$Gamma1, 2L, net$gamma, "*") * deviations(known$Z, object$weights)
    list(A = A, Gamma2 = net$Gamma2)
  }, object$nets, object$model$nets)
  slopes <- object$coefficients[linear_names(object)]
  if (length(slopes)) slopes <- slopes * deviations(object$model$linear, object$weights)
  slopes <- slopes[!is.na(slopes)]
  if (!length(nets) && !length(slopes)) {
    refuse("the fit has neither nets nor a linear part, so that there is no network to draw", "ArgumentError")
  }
  names(nets) <- vapply(object$nets, `[[`, "", "label")
  list(nets = nets, linear = slopes)
}

deviations <- function(columns, w) apply(columns, 2L, function(x) sqrt(mean_of((x - mean_of(x, w))^2, w)))

draw_network <- function(weights, object) {
  on_canvas(function(width, height) {
    em <- graphics::strheight("M", "inches") * 1.7
    notes <- network_notes(weights, object)
    page <- list(width = width, em = em, top = height - 2.4 * em, bottom = (length(notes) + 2) * em)
    output <- if (is.null(object$formula)) "y" else deparse1(object$frame$outcome)
    page <- columns_of(page, weights, output)
    bands <- bands_of(weights, page)
    middle <- mean(c(bands[[1L]]$top, bands[[length(bands)]]$bottom))
    draw_edges(bands, page, middle, widest(weights))
    for (band in bands) draw_band_labels(band, page)
    draw_circle(page$right, middle, 0.13)
    written(output, page$right + 0.2, middle, room = width - page$right - 0.25, adj = 0)
    draw_headers(weights, page, bands)
    draw_legend(notes, page)
  })
}

# Draw on a page that is measured in inches.
on_canvas <- function(draw) {
  before <- graphics::par(mar = rep(0.6, 4L))
  on.exit(graphics::par(before))
  graphics::plot.new()
  size <- graphics::par("pin")
  graphics::plot.window(c(0, size[1L]), c(0, size[2L]), xaxs = "i", yaxs = "i")
  draw(size[1L], size[2L])
}

# Write text that fits its room: in smaller letters, and then cut short.
written <- function(label, x, y, room, adj, size = 1, ...) {
  cex <- size * min(1, room / max(graphics::strwidth(label, "inches", cex = size), 1e-9))
  while (cex < 0.6 * size && nchar(label) > 4L) {
    label <- paste0(substr(label, 1L, nchar(label) - 3L), "..")
    cex <- size * min(1, room / graphics::strwidth(label, "inches", cex = size))
  }
  graphics::text(x, y, label, cex = cex, adj = c(adj, 0.5), col = shade[["ink"]], ...)
}

# Where inputs, nodes and the output stand; names have up to a third of the page.
columns_of <- function(page, weights, output) {
  names <- c(unlist(lapply(weights$nets, function(net) rownames(net$A))), names(weights$linear))
  names <- max(graphics::strwidth(names, "inches"))
  page$left <- min(names + 0.3, 0.33 * page$width)
  page$right <- page$width - min(graphics::strwidth(output, "inches") + 0.35, 0.25 * page$width)
  page$nodes <- (page$left + page$right) / 2
  page
}

# The bands of the nets, and of the linear part below them, as high as they have inputs or nodes.
bands_of <- function(weights, page) {
  parts <- c(
    Map(function(net, label) list(label = label, A = net$A, Gamma2 = net$Gamma2), weights$nets, names(weights$nets)),
    if (length(weights$linear)) list(list(label = "linear part", linear = weights$linear))
  )
  rows <- vapply(parts, function(part) max(dim(part$A), length(part$linear)), 0L)
  head <- 1.5 * page$em
  unit <- min((page$top - page$bottom - head * length(parts)) / sum(rows), 0.75)
  from <- page$top
  for (k in seq_along(parts)) {
    parts[[k]]$top <- from - head
    parts[[k]]$bottom <- from - head - rows[k] * unit
    parts[[k]]$unit <- unit
    from <- parts[[k]]$bottom
  }
  parts
}

heights <- function(band, count) band$top - (seq_len(count) - 0.5) / count * (band$top - band$bottom)

widest <- function(weights) {
  largest <- function(part) {
    max(0, abs(as.double(unlist(lapply(weights$nets, `[[`, part), use.names = FALSE))), na.rm = TRUE)
  }
  list(A = largest("A"), Gamma2 = largest("Gamma2"), linear = max(0, abs(weights$linear), na.rm = TRUE))
}

draw_edges <- function(bands, page, middle, widest) {
  for (band in bands) {
    if (is.null(band$A)) {
      at <- heights(band, length(band$linear))
      draw_lines(page$left, at, page$nodes, at, band$linear, widest$linear)
      draw_lines(page$nodes, at, page$right, middle, band$linear, widest$linear)
    } else {
      inputs <- heights(band, nrow(band$A))
      nodes <- heights(band, ncol(band$A))
      draw_lines(page$left, inputs[row(band$A)], page$nodes, nodes[col(band$A)], band$A, widest$A)
      draw_lines(page$nodes, nodes, page$right, middle, band$Gamma2, widest$Gamma2)
    }
  }
}

thickest <- 7

# Draw edges, the weakest first; a weight of 0 has none.
draw_lines <- function(x0, y0, x1, y1, weights, widest) {
  weights <- as.vector(weights)
  order <- order(abs(weights))
  order <- order[!is.na(weights[order]) & weights[order] != 0]
  frame <- data.frame(x0, y0, x1, y1, weights)[order, ]
  graphics::segments(
    frame$x0, frame$y0, frame$x1, frame$y1, lend = "round", lwd = pmax(0.3, thickest * abs(frame$weights) / widest),
    col = grDevices::adjustcolor(ifelse(frame$weights > 0, shade[["blue"]], shade[["orange"]]), 0.85)
  )
}

draw_band_labels <- function(band, page) {
  written(band$label, 0, band$top + 0.5 * page$em, room = page$nodes - 0.3, adj = 0, size = 0.85, font = 3L)
  names <- if (is.null(band$A)) names(band$linear) else rownames(band$A)
  at <- heights(band, length(names))
  size <- min(1, (band$top - band$bottom) / length(names) / (0.8 * page$em))
  graphics::points(rep(page$left, length(at)), at, pch = 16L, cex = 0.7, col = shade[["ink"]])
  for (k in seq_along(names)) written(names[k], page$left - 0.1, at[k], room = page$left - 0.15, adj = 1, size = size)
  if (is.null(band$A)) return(invisible())
  nodes <- heights(band, ncol(band$A))
  radius <- min(0.13, 0.42 * (band$top - band$bottom) / length(nodes))
  for (k in seq_along(nodes)) {
    draw_circle(page$nodes, nodes[k], radius)
    if (radius > 0.07) graphics::text(page$nodes, nodes[k], k, cex = radius / 0.17, col = shade[["ink"]])
  }
}

draw_circle <- function(x, y, radius) {
  graphics::symbols(x, y, circles = radius, inches = FALSE, add = TRUE, bg = "white", fg = shade[["ink"]])
}

draw_headers <- function(weights, page, bands) {
  if (!length(weights$nets)) return(invisible())
  shown <- function(value) format(value, digits = 3L)
  widest <- widest(weights)
  room <- page$right - page$nodes - 0.1
  y <- page$top + page$em
  written(paste("A * sd, widest", shown(widest$A)), (page$left + page$nodes) / 2, y, room = room, adj = 0.5)
  written(paste("Gamma2, widest", shown(widest$Gamma2)), (page$nodes + page$right) / 2, y, room = room, adj = 0.5)
}

network_notes <- function(weights, object) {
  effects <- lapply_named(object$effects, function(estimates, name) paste0(name, " (", length(estimates), " groups)"))
  c(
    if (length(effects)) paste("and fixed effects of", paste(unlist(effects), collapse = ", ")),
    if (!is.null(object$offset)) "and an offset",
    if (anyNA(object$coefficients)) paste("without", listed(names(object$coefficients)[is.na(object$coefficients)]))
  )
}

# Draw the legend of signs and widths, and the notes.
draw_legend <- function(notes, page) {
  y <- (length(notes) + 0.6) * page$em
  samples <- data.frame(
    label = c("positive", "negative", "1/4", "1/2", "1 of the widest"), share = c(0.5, 0.5, 0.25, 0.5, 1),
    colour = shade[c("blue", "orange", "grey", "grey", "grey")]
  )
  size <- min(0.85, 0.85 * page$width / (sum(graphics::strwidth(samples$label, "inches", cex = 0.85)) + 5 * 0.65))
  x <- 0
  for (k in seq_len(nrow(samples))) {
    graphics::segments(x, y, x + 0.3, y, lwd = thickest * samples$share[k], col = samples$colour[k], lend = "butt")
    graphics::text(x + 0.38, y, samples$label[k], adj = c(0, 0.5), cex = size, col = shade[["ink"]])
    x <- x + 0.38 + graphics::strwidth(samples$label[k], "inches", cex = size) + 0.25
  }
  for (k in seq_along(notes)) written(notes[k], 0, y - k * page$em, room = page$width, adj = 0, size = 0.85)
}
