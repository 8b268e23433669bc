# The variables of a fit, and its rows with one of them changed, as marginal effects, partial dependence and tests need them.

# The variables of the rows that were fitted, as they were in the data.
fitted_data <- function(object) {
  if (is.null(object$formula)) return(matrix_data(object))
  if (is.null(object$data)) {
    refuse("the fit does not hold the variables that effects and tests need; fit it again with a data frame", "ArgumentError")
  }
  object$data
}

# The data that a fit keeps: its variables, from the data frame or, where they have an entry for each row, from around the
# formula. NULL if they cannot be matched to the fit's rows.
used_data <- function(object, data) {
  names <- c(all.vars(object$frame$outcome), all.vars(object$frame$terms))
  columns <- if (is.list(data)) data[intersect(names(data), names)] else list()
  env <- if (is.environment(data)) data else environment(object$formula)
  for (name in setdiff(names, names(columns))) {
    value <- get0(name, envir = env)
    if (is.atomic(value) || is.factor(value)) columns[[name]] <- value
  }
  counts <- vapply(columns, NROW, 0L)
  N <- if (is.data.frame(data)) nrow(data) else if (length(counts)) max(counts) else 0L
  frame <- tryCatch(as.data.frame(columns[counts == N], optional = TRUE), error = function(e) NULL)
  if (is.null(frame) || !nrow(frame)) return(NULL)
  if (is.data.frame(data)) attr(frame, "row.names") <- attr(data, "row.names")
  rows <- match(names(object$residuals), rownames(frame))
  if (anyNA(rows)) NULL else frame[rows, , drop = FALSE]
}

# The data of a fit of matrices: the nets' inputs and the linear part's columns, by name.
matrix_data <- function(object) {
  columns <- c(
    Map(function(net, known) stats::setNames(as.data.frame(net$Z), rownames(known$Gamma1)), object$model$nets, object$nets),
    if (!is.null(object$model$linear)) list(stats::setNames(as.data.frame(object$model$linear), linear_names(object)))
  )
  all <- do.call(cbind, unname(columns))
  all[!duplicated(names(all))]
}

linear_names <- function(object) names(object$coefficients)[seq_along(object$coefficients) > object$intercept]

# Names of the variables that nets and linear part depend on, and the offset or not; those that only name groups are left
# out.
variables_of <- function(object, offset = TRUE) {
  if (is.null(object$formula)) return(names(matrix_data(object)))
  used <- unlist(lapply(c(list(object$linear), object$nets), function(part) all.vars(attr(part$terms, "variables"))))
  used <- unique(unlist(lapply(c(list(object$linear), object$nets), function(part) unlist(column_variables(part, used)))))
  offsets <- if (offset) as.list(attr(object$frame$terms, "variables"))[1L + attr(object$frame$terms, "offset")]
  intersect(names(fitted_data(object)), c(used, unlist(lapply(offsets, all.vars))))
}

numbers_of <- function(object) {
  data <- fitted_data(object)
  Filter(function(name) is.numeric(data[[name]]) && !is.factor(data[[name]]) && is.null(dim(data[[name]])), variables_of(object))
}

as_variables <- function(variables, known, what = "variables") {
  if (is.null(variables)) return(known)
  if (!is.character(variables)) refuse(paste0(what, " must be names of variables"), "ElementTypeError")
  unknown <- setdiff(variables, known)
  if (length(unknown)) {
    refuse(
      paste0("'", unknown[1L], "' is none of the fit's variables here, which are ", if (length(known)) listed(known, 20L) else "none"),
      "ArgumentError"
    )
  }
  variables
}

# For each column of a part, the variables that its term is made from.
column_variables <- function(part, known) {
  labels <- attr(part$terms, "term.labels")
  lapply(part$assign, function(term) intersect(all.vars(str2lang(labels[term])), known))
}

# Which columns of each net and of the linear part a variable is part of: 1 for each of those, 0 for the others.
columns_with <- function(object, name, known) {
  flags <- function(part, names) {
    variables <- if (is.null(object$formula)) as.list(names) else column_variables(part, known)
    as.double(vapply(variables, function(own) name %in% own, NA))
  }
  list(
    nets = lapply(unname(object$nets), function(net) flags(net, rownames(net$Gamma1))),
    linear = flags(object$linear, linear_names(object))
  )
}

# The nets' inputs, the linear part's columns and the offset at the fit's rows, with one variable changed.
changed_rows <- function(object, data, name, value) {
  data[[name]] <- value
  if (is.null(object$formula)) {
    return(list(
      nets = lapply(object$nets, function(net) unname(as.matrix(data[rownames(net$Gamma1)]))),
      linear = if (length(linear_names(object))) unname(as.matrix(data[linear_names(object)]))
    ))
  }
  for (effect in setdiff(names(object$effects), names(data))) data[[effect]] <- NA # groups stay, and Python has them
  frame <- as_refusal(
    stats::model.frame(object$frame$terms, data, na.action = stats::na.pass, xlev = object$frame$xlevels), paste0(name, ": ")
  )
  parts <- frame_parts(object, frame)
  list(
    nets = lapply(parts$nets, function(Z) matrix(as.double(Z), nrow(Z))),
    linear = if (ncol(parts$linear)) matrix(as.double(parts$linear), nrow(parts$linear)), offset = parts$offset
  )
}

# The rates at which these change with a numeric variable, by central differences.
change_with <- function(object, data, name) {
  x <- as.double(data[[name]])
  far <- max(abs(x - mean(x)))
  h <- 1e-4 * max(if (far > 0) far * sqrt(mean(((x - mean(x)) / far)^2)) else 0, .Machine$double.xmin)
  sides <- lapply(list(x + h, x - h), function(values) changed_rows(object, data, name, values))
  step <- (x + h) - (x - h) # what rounding leaves of 2h beside a large offset
  rate <- function(plus, minus) (plus - minus) / step
  list(
    nets = Map(rate, sides[[1L]]$nets, sides[[2L]]$nets),
    linear = if (!is.null(sides[[1L]]$linear)) rate(sides[[1L]]$linear, sides[[2L]]$linear),
    offset = if (!is.null(sides[[1L]]$offset)) rate(sides[[1L]]$offset, sides[[2L]]$offset)
  )
}
