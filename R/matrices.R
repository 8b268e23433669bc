# A model from matrices, and new rows of it: what R/formula.R and R/frame.R are for formulas.

matrix_model <- function(x, y, size, linear, effects, weights, basis, mask, intercept) {
  blocks <- input_blocks(x)
  labels <- names(blocks)
  if (length(size) != length(blocks)) {
    refuse(paste0("size has length ", length(size), ", but the number of nets is ", length(blocks)), "ShapeError")
  }
  several <- length(blocks) > 1L
  option <- function(value, k, name) {
    if (is.null(value) || !several) return(value)
    if (!is.list(value) || length(value) != length(blocks)) {
      refuse(paste0(name, " must be a list with one entry for each of ", length(blocks), " nets"), "ShapeError")
    }
    value[[k]]
  }
  nets <- lapply(seq_along(blocks), function(k) {
    list(label = labels[k], size = size[[k]], basis = option(basis, k, "basis"), mask = option(mask, k, "mask"))
  })
  prefix <- if (several) labels else "x"
  nets <- Map(function(net, block, prefix) c(net, columns(block, net$label, prefix)), nets, blocks, prefix)
  N <- nrow(nets[[1L]]$matrix)
  linear <- if (is.null(linear)) list(matrix = matrix(0, N, 0L)) else columns(linear, "linear", "linear")
  effects <- lapply_named(named_fixed_effects(effects), groups)
  y <- drop(reals(y, "y"))
  weights <- if (!is.null(weights)) as.vector(reals(weights, "weights"))
  if (!is.null(dim(y))) refuse(paste0("y has ", ncol(y), " columns; fit them one by one"), "ShapeError")
  lengths <- c(
    stats::setNames(vapply(nets, function(net) nrow(net$matrix), 0L), labels), y = length(y),
    linear = nrow(linear$matrix), vapply(effects, length, 0L), weights = if (!is.null(weights)) length(weights)
  )
  if (any(lengths != N)) {
    other <- names(lengths)[lengths != N][1L]
    refuse(paste0(other, " has ", lengths[[other]], " rows, but the inputs have ", N), "ShapeError")
  }
  if (N == 0L) refuse("x has no rows", "ShapeError")
  for (name in names(effects)) {
    if (anyNA(effects[[name]])) refuse(paste0(name, " has missing groups; drop those rows"), "NotFiniteError")
  }
  list(
    y = unname(y), name = "y", linear = linear, nets = unname(nets), effects = effects,
    intercept = intercept && !length(effects), weights = weights, rows = rownames(blocks[[1L]])
  )
}

# The nets' inputs as a named list of matrices.
input_blocks <- function(x, labels = NULL) {
  if (is.data.frame(x) || !is.list(x)) x <- list(net = x)
  if (!length(x)) refuse("x holds no matrix of inputs", "ArgumentError")
  if (is.null(names(x))) names(x) <- paste0("net", seq_along(x))
  x
}

# Numbers as a matrix with named columns. `given` says whether the names are the user's: then new data must have them too.
columns <- function(x, what, prefix) {
  given <- !is.null(colnames(x))
  names <- colnames(x)
  matrix <- as.matrix(reals(x, what))
  if (!ncol(matrix)) refuse(paste0(what, " has no columns"), "ShapeError")
  if (!given) names <- if (ncol(matrix) == 1L) prefix else paste0(prefix, seq_len(ncol(matrix)))
  if (anyDuplicated(names)) {
    refuse(paste0(what, " has more than one column named '", names[duplicated(names)][1L], "'; tell them apart"), "ArgumentError")
  }
  dimnames(matrix) <- list(NULL, names)
  list(matrix = matrix, given = given)
}

named_fixed_effects <- function(effects) {
  if (is.null(effects) || (is.list(effects) && !length(effects))) return(list())
  if (!is.list(effects)) return(list(effect = effects))
  if (is.null(names(effects))) names(effects) <- paste0("effect", seq_along(effects))
  as.list(effects)
}

lapply_named <- function(x, f) Map(f, x, names(x))

# New matrices as the parts of a prediction.
matrix_parts <- function(object, newdata, linear, effects) {
  blocks <- input_blocks(newdata)
  if (length(blocks) != length(object$nets)) {
    refuse(paste0("newdata holds ", length(blocks), " matrices, but the fit has ", length(object$nets), " nets"), "ShapeError")
  }
  names <- names(object$coefficients)
  if (object$intercept) names <- names[-1L]
  given <- function(value, wanted, name, about) {
    if (wanted && is.null(value)) refuse(paste0("the fit has ", about, "; give ", name, " for new rows too"), "ArgumentError")
    if (!wanted && !is.null(value)) refuse(paste0(name, " is given, but the fit has no ", about), "ArgumentError")
  }
  given(linear, length(names) > 0L, "linear", "linear columns")
  given(effects, length(object$effects) > 0L, "effects", "fixed effects")
  nets <- Map(function(net, block) like_before(block, rownames(net$Gamma1), net$given, "newdata"), object$nets, blocks)
  N <- nrow(nets[[1L]])
  linear <- if (length(names)) like_before(linear, names, object$linear$given, "linear") else matrix(0, N, 0L)
  effects <- named_fixed_effects(effects)
  lacking <- setdiff(names(object$effects), names(effects))
  if (length(lacking)) refuse(paste0("effects has no ", listed(lacking)), "ArgumentError")
  rows <- c(vapply(nets, nrow, 0L), nrow(linear), lengths(effects))
  if (any(rows != N)) {
    refuse(paste0("newdata, linear and effects have ", listed(rows), " rows; they must have equally many"), "ShapeError")
  }
  list(linear = linear, nets = nets, effects = effects, rows = rownames(blocks[[1L]]))
}

# New columns in the order of the fit's, matched by name where both have names.
like_before <- function(x, names, given, what) {
  if (is.null(dim(x)) && !is.list(x) && length(names) > 1L && length(x) == length(names)) x <- t(x) # one row
  new <- columns(x, what, "x")
  if (given && new$given) {
    lacking <- setdiff(names, colnames(new$matrix))
    if (length(lacking)) refuse(paste0(what, " has no column ", listed(lacking)), "ArgumentError")
    return(new$matrix[, names, drop = FALSE])
  }
  if (ncol(new$matrix) != length(names)) {
    refuse(paste0(what, " has ", ncol(new$matrix), " columns, but the fit has ", length(names), ": ", listed(names)), "ShapeError")
  }
  new$matrix
}
