# Plots of two gradients side by side, as heat maps.

#' Heat maps of a gradient check
#'
#' Draws two gradients of one net entry by entry, and how far they are apart: for each of Gamma1, gamma, beta and Gamma2 that
#' the net has, both gradients on a colour scale symmetric about 0, and the logarithm of their differences over the largest
#' entry of `other`. Double precision has some 16 digits: colours near the bottom of the scale, -17, mean rounding alone;
#' entries that are equal to the last bit have the bottom's colour and "=". Entries are written into their cells where a
#' part has at most 60 of them.
#'
#' @param x a gradient by [net_gradient()].
#' @param other another gradient of the same shape: by [net_gradient()] with another `route`, a list with the same parts, or
#'   a matrix for Gamma1 alone.
#' @param labels what x and other are called.
#' @param ... nothing more; what is not known is an error.
#' @return A list, invisibly, of the parts' logarithms (base 10) of |x - other| / max |other|, as matrices with a column for
#'   each node; -Inf where entries are equal.
#' @examples
#' set.seed(1)
#' X <- as.matrix(mtcars[c("wt", "hp", "qsec")])
#' net <- list(Gamma1 = matrix(rnorm(6), 3), gamma = c(1, 1), beta = c(0, 0), Gamma2 = c(1, -1))
#' by_route <- function(route) do.call(net_gradient, c(list(X, mtcars$mpg), net, activation = "tanh", route = route))
#' plot(by_route("loop"), by_route("matrix"))
#' @export
plot.net_gradient <- function(x, other, labels = c("loop", "matrix"), ...) {
  nothing_more("plot() of a gradient", ...)
  with_call(sys.call(), {
    if (missing(other)) {
      refuse("other is missing: give the gradient to compare with, such as one with route = \"matrix\"", "ArgumentError")
    }
    if (!is.character(labels) || length(labels) != 2L || anyNA(labels)) {
      refuse("labels must be two strings, the names of x and of other", "ElementTypeError")
    }
    pairs <- paired(x, other)
  })
  differences <- lapply(pairs, log_differences)
  draw_heat_maps(pairs, differences, labels)
  invisible(differences)
}

gradient_parts <- c("Gamma1", "gamma", "beta", "Gamma2")

# The parts of both gradients in pairs, as matrices with a column for each node.
paired <- function(x, other) {
  ones <- Filter(Negate(is.null), unclass(x)[gradient_parts])
  if (!is.list(other)) {
    if (!is.matrix(other)) {
      refuse(
        paste0("other is of class ", class(other)[1L], ", but must be a gradient by net_gradient(), a list of its parts or a matrix"),
        "ElementTypeError"
      )
    }
    ones <- ones["Gamma1"]
    other <- list(Gamma1 = other)
  }
  others <- Filter(Negate(is.null), unclass(other)[intersect(gradient_parts, names(other))])
  same_parts(names(ones), names(others))
  stats::setNames(lapply(names(ones), function(part) paired_part(ones[[part]], others[[part]], part)), names(ones))
}

same_parts <- function(ones, others) {
  lacking <- setdiff(ones, others)
  if (length(lacking)) refuse(paste0("other has no ", listed(lacking), ", which x has"), "ShapeError")
  beyond <- setdiff(others, ones)
  if (length(beyond)) refuse(paste0("other has ", listed(beyond), ", which x has not"), "ShapeError")
}

paired_part <- function(one, other, part) {
  other <- numbers(other, paste0("other's ", part))
  if (is.complex(other)) refuse(paste0("other's ", part, " is complex, but must be real"), "ElementTypeError")
  shape <- function(x) if (is.null(dim(x))) length(x) else dim(x)
  agree <- if (part == "Gamma1") identical(shape(one), shape(other)) else length(one) == length(other)
  if (!agree) {
    refuse(
      paste0(
        "other's ", part, " is ", paste(shape(other), collapse = " x "), ", but x's is ", paste(shape(one), collapse = " x ")
      ),
      "ShapeError"
    )
  }
  as_rows <- function(values) {
    if (part == "Gamma1") return(values)
    matrix(values, 1L, dimnames = list(part, names(one)))
  }
  other <- as_rows(other)
  dimnames(other) <- dimnames(as_rows(one))
  list(one = as_rows(one), other = other)
}

log_differences <- function(pair) {
  apart <- abs(pair$one - pair$other)
  # Equal entries have no difference, also where all of `other` is 0.
  ifelse(apart == 0, -Inf, log10(apart / max(abs(pair$other))))
}

draw_heat_maps <- function(pairs, differences, labels) {
  on_canvas(function(width, height) {
    em <- graphics::strheight("M", "inches") * 1.7
    page <- map_page(pairs, width, height, em)
    titles <- c(labels, paste0("log10 of |", labels[1L], " - ", labels[2L], "| / max |", labels[2L], "|"))
    for (k in 1:3) written(titles[k], page$x[k], height - 0.7 * em, room = page$wide, adj = 0)
    for (part in names(pairs)) draw_part(pairs[[part]], differences[[part]], part, page)
    draw_keys(page)
  })
}

# Three columns of images, and for each part the top and the bottom of its row.
map_page <- function(pairs, width, height, em) {
  names <- rownames(pairs$Gamma1$one)
  left <- if (is.null(names)) 0 else min(max(graphics::strwidth(names, "inches", cex = 0.8)) + 0.1, 0.18 * width)
  gap <- 0.2
  wide <- (width - left - 2 * gap) / 3
  rows <- vapply(pairs, function(pair) nrow(pair$one), 0L)
  rows <- pmax(rows, 0.1 * max(rows)) # so that one row beside many is seen
  heading <- 1.4 * em
  unit <- min((height - 5.2 * em - heading * length(rows)) / sum(rows), 0.55)
  bottom <- height - 1.4 * em - cumsum(heading + rows * unit)
  list(
    em = em, left = left, wide = wide, x = left + (0:2) * (wide + gap), width = width, keys = min(bottom) - 1.2 * em,
    top = bottom + rows * unit, bottom = bottom, last = names(pairs)[length(pairs)]
  )
}

most_written <- 60L
bottom_of_scale <- -17

draw_part <- function(pair, differences, part, page) {
  largest <- largest_of(pair)
  top <- page$top[[part]]
  heading <- paste0(part, ", colours up to ", format(largest, digits = 3L))
  written(heading, page$x[1L], top + 0.55 * page$em, room = 2 * page$wide, adj = 0, size = 0.9, font = 2L)
  boxes <- lapply(page$x, function(x) list(left = x, right = x + page$wide, top = top, bottom = page$bottom[[part]]))
  short <- function(values) formatC(values, digits = 2L, format = "g", width = 1L)
  draw_image(diverging(pair$one / largest), short(pair$one), boxes[[1L]])
  draw_image(diverging(pair$other / largest), short(pair$other), boxes[[2L]])
  draw_image(sequential(differences), ifelse(is.infinite(differences) & differences < 0, "=", sprintf("%.1f", differences)), boxes[[3L]])
  if (part == "Gamma1") names_beside(rownames(pair$one), boxes[[1L]], page)
  if (part == page$last) for (box in boxes) names_below(colnames(pair$one), box, page)
}

# The largest entry, by which to divide: 1 if all are 0.
largest_of <- function(pair) {
  largest <- max(0, abs(unlist(pair)[is.finite(unlist(pair))]))
  if (largest > 0) largest else 1
}

draw_image <- function(colours, labels, box) {
  rows <- nrow(colours)
  columns <- ncol(colours)
  graphics::rasterImage(grDevices::as.raster(colours), box$left, box$bottom, box$right, box$top, interpolate = FALSE)
  x <- box$left + (col(colours) - 0.5) / columns * (box$right - box$left)
  y <- box$top - (row(colours) - 0.5) / rows * (box$top - box$bottom)
  if (length(colours) > most_written) return(invisible())
  size <- min(
    0.85, 0.85 * (box$right - box$left) / columns / max(graphics::strwidth(labels, "inches")),
    0.8 * (box$top - box$bottom) / rows / graphics::strheight("0", "inches")
  )
  graphics::text(x, y, labels, cex = size, col = readable_on(colours))
}

names_beside <- function(names, box, page) {
  if (is.null(names)) return(invisible())
  tall <- (box$top - box$bottom) / length(names)
  y <- box$top - (seq_along(names) - 0.5) * tall
  size <- 0.8 * min(1, tall / (0.7 * page$em))
  if (size > 0.3) for (k in seq_along(names)) written(names[k], box$left - 0.06, y[k], room = page$left - 0.06, adj = 1, size = size)
}

# Nodes without names are numbered.
names_below <- function(names, box, page) {
  if (is.null(names)) return(invisible())
  wide <- (box$right - box$left) / length(names)
  size <- 0.8 * min(1, 0.9 * wide / max(graphics::strwidth(names, "inches", cex = 0.8)))
  if (size < 0.3) return(invisible())
  graphics::text(box$left + (seq_along(names) - 0.5) * wide, box$bottom - 0.5 * page$em, names, cex = size, col = shade[["ink"]])
}

draw_keys <- function(page) {
  two <- list(left = page$x[1L], right = page$x[2L] + page$wide, top = page$keys, bottom = page$keys - 0.5 * page$em)
  draw_key(diverging(seq(-1, 1, length.out = 201L)), two, c(-1, 0, 1), c("-largest", "0", "largest"), page)
  third <- list(left = page$x[3L], right = page$x[3L] + page$wide, top = two$top, bottom = two$bottom)
  draw_key(sequential(seq(bottom_of_scale, 0, length.out = 171L)), third, c(-17, -12, -8, -4, 0), c("=, -17", -12, -8, -4, 0), page)
}

draw_key <- function(colours, box, ticks, labels, page) {
  graphics::rasterImage(
    grDevices::as.raster(matrix(colours, 1L)), box$left, box$bottom, box$right, box$top, interpolate = FALSE
  )
  x <- box$left + (ticks - ticks[1L]) / diff(range(ticks)) * (box$right - box$left)
  for (k in seq_along(x)) {
    adj <- if (k == 1L) 0 else if (k == length(x)) 1 else 0.5
    graphics::text(x[k], box$bottom - 0.6 * page$em, labels[k], adj = c(adj, 0.5), cex = 0.8, col = shade[["ink"]])
  }
}

# Colours of values from -1 to 1, in the values' shape; NaN is grey.
diverging <- function(values) {
  palette <- grDevices::colorRampPalette(c("#8f3f18", shade[["orange"]], "#f6f4f0", shade[["blue"]], "#163f58"))(201L)
  coloured(values, palette, -1, 1)
}

sequential <- function(values) {
  palette <- grDevices::colorRampPalette(c("#f6f4f0", "#e9c4ae", shade[["orange"]], "#5f230b"))(171L)
  coloured(values, palette, bottom_of_scale, 0)
}

coloured <- function(values, palette, from, to) {
  place <- 1 + round((length(palette) - 1L) * (pmin(pmax(values, from), to) - from) / (to - from))
  colours <- ifelse(is.na(place), shade[["pale_grey"]], palette[place])
  dim(colours) <- dim(values)
  colours
}

readable_on <- function(colours) {
  light <- colSums(grDevices::col2rgb(colours) * c(0.299, 0.587, 0.114))
  ifelse(light > 140, shade[["ink"]], "white")
}
