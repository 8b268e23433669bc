# From a formula's parts and the user's data to matrices: R's model frame and model matrices, and what they need to be
# made again from new data.

# The model frame of all variables; `call` is the user's, whose weights and subset R evaluates within the data.
framed <- function(parts, call, na.action, data, env) {
  formula <- all_variables(parts, parts$environment)
  frame_call <- call[c(1L, match(c("weights", "subset"), names(call), 0L))]
  frame_call$data <- data # as it was evaluated already
  frame_call$formula <- formula
  frame_call$na.action <- na.action
  frame_call$drop.unused.levels <- TRUE # as in lm
  frame_call[[1L]] <- quote(stats::model.frame)
  if (!is.null(data) && !is.list(data) && !is.environment(data)) {
    refuse(paste0("data must be a data frame, but is of class ", class(data)[1L], "; as.data.frame() makes one"), "ElementTypeError")
  }
  if (!is.null(data) && !length(data)) refuse("data has no columns", "ArgumentError")
  if (is.data.frame(data)) {
    twice <- intersect(names(data)[duplicated(names(data))], c(all.vars(formula), all.vars(call$weights), all.vars(call$subset)))
    if (length(twice)) refuse(paste0("data has more than one column named '", twice[1L], "'; tell them apart"), "ArgumentError")
  }
  frame <- tryCatch(eval(frame_call, env), error = function(e) {
    refuse(frame_problem(conditionMessage(e), parts, formula, call, data), "ArgumentError")
  })
  if (deparse1(parts$outcome) %in% used_variables(attr(frame, "terms"))) {
    refuse(paste0("formula has the outcome ", deparse1(parts$outcome), " on its right side; take it out"), "ArgumentError")
  }
  if (nrow(frame) == 0L) {
    refuse(
      if (is.data.frame(data) && nrow(data) == 0L) "data has no rows"
      else "no rows are left: every one has a missing value or is out of the subset",
      "ArgumentError"
    )
  }
  for (name in names(frame)) no_integer64(frame[[name]], name)
  if (length(attr(frame, "na.action"))) {
    frame_call$na.action <- quote(stats::na.pass)
    defined(suppressWarnings(eval(frame_call, env)), all.vars(formula))
  }
  frame
}

# A row must not go because a function has no value there, as log(x) for a negative x, though no column lacks one.
defined <- function(frame, columns) {
  for (name in setdiff(names(frame), columns)) {
    bad <- if (is.numeric(frame[[name]])) sum(is.nan(frame[[name]])) else 0L
    if (bad) refuse(paste0(name, " has ", bad, " undefined values; drop those rows or mend them"), "NotFiniteError")
  }
}

# What went wrong in a model frame, said so that one sees where.
frame_problem <- function(message, parts, formula, call, data) {
  if (grepl("not interpretable as a factor", message)) return("C() with contrasts takes a factor: write C(factor(g), contr.sum)")
  env <- environment(formula)
  wanted <- c(all.vars(formula), all.vars(call$weights), all.vars(call$subset))
  unknown <- Filter(function(name) {
    value <- get0(name, envir = env)
    is.null(value) || is.function(value)
  }, setdiff(wanted, names(data)))
  if (length(unknown)) {
    nets <- Filter(function(net) unknown[1L] %in% all.vars(net$inputs), parts$nets)
    where <- if (unknown[1L] %in% all.vars(parts$linear) || !length(nets)) "" else paste0(" in ", nets[[1L]]$label)
    if (!unknown[1L] %in% all.vars(formula)) {
      where <- if (unknown[1L] %in% all.vars(call$weights)) " in weights" else " in subset"
    }
    return(paste0(
      "'", unknown[1L], "'", where,
      if (is.null(data)) " is no variable; is data missing?" else " is neither a column of data nor a variable",
      if (length(data)) paste0("; data has ", listed(names(data)))
    ))
  }
  if (grepl("invalid model formula|invalid term in model formula|object is not a matrix", message)) {
    return("formula has a term that is neither a variable nor a function of some; terms are joined by +, : and *")
  }
  if (grepl("^could not find function", message)) {
    return(sub('^.* "(.*)"$', "'\\1' is no function that R finds here; attach its package, or write package::\\1()", message))
  }
  if (message == "missing values in object") return("data has missing values, which na.action = na.fail forbids")
  named <- regmatches(message, regexec("^variable lengths differ \\(found for '(.*)'\\)$", message))[[1L]]
  if (length(named) != 2L) return(message)
  # model.frame compares with the outcome, which may be the odd one out itself.
  expressions <- list(if (named[2L] == "(weights)") call$weights else str2lang(named[2L]), parts$outcome)
  lengths <- vapply(expressions, function(expression) NROW(eval(expression, data, env)), 0L)
  odd <- if (is.data.frame(data) && lengths[1L] == nrow(data)) 2L else 1L
  name <- if (odd == 2L) deparse1(parts$outcome) else if (named[2L] == "(weights)") "weights" else named[2L]
  paste0(name, " has ", lengths[odd], " entries, but there are ", lengths[3L - odd], " rows")
}

# A model for fitted_by_python: outcomes, linear part, nets, effects and weights as arrays, and how to make them anew.
formula_model <- function(parts, frame, contrasts.arg) {
  linear <- design_matrix(parts$linear, frame, contrasts.arg)
  terms <- stats::delete.response(attr(frame, "terms"))
  nets <- lapply(parts$nets, function(net) c(net[names(net) != "inputs"], design_matrix(net$inputs, frame, contrasts.arg)))
  list(
    y = outcome(frame, deparse1(parts$outcome)), name = deparse1(parts$outcome), offset = offset_of(frame), linear = linear, nets = nets,
    effects = lapply(stats::setNames(parts$effects, parts$effects), function(name) groups(frame[[name]], name)),
    intercept = linear$intercept && !length(parts$effects), weights = stats::model.weights(frame), rows = rownames(frame), na.action = attr(frame, "na.action"),
    frame = list(
      outcome = parts$outcome, terms = terms,
      xlevels = merged(lapply(c(list(linear), nets), `[[`, "xlevels"))
    )
  )
}

outcome <- function(frame, name) {
  y <- stats::model.response(frame)
  if (is.null(y)) refuse(paste0("the outcome ", name, " is NULL"), "ElementTypeError")
  if (NCOL(y) != 1L) refuse(paste0("the outcome ", name, " has ", NCOL(y), " columns; fit them one by one"), "ShapeError")
  if (!(is.numeric(y) || is.logical(y)) || is.factor(y)) {
    refuse(paste0("the outcome ", name, " is of class ", class(y)[1L], ", but must be numeric"), "ElementTypeError")
  }
  as.double(y)
}

offset_of <- function(frame) {
  for (column in frame[attr(attr(frame, "terms"), "offset")]) {
    if (!is.numeric(column)) refuse(paste0("an offset is of class ", class(column)[1L], ", but must be numeric"), "ElementTypeError")
  }
  offset <- stats::model.offset(frame)
  if (!is.null(offset) && NCOL(offset) != 1L) refuse("the offset must be one column", "ShapeError")
  if (is.null(offset)) NULL else as.double(offset)
}

groups <- function(labels, name) {
  if (!is.null(dim(labels)) || is.list(labels)) {
    refuse(paste0("the fixed effect ", name, " must be a vector of groups, one for each row"), "ShapeError")
  }
  as_refusal(factor(labels), paste0("the fixed effect ", name, ": "))
}

# A part of the formula as its columns without the intercept, and what it takes to make them again. Where `0 +` leaves the
# intercept out, beside effects and in nets too, a factor has a column for each of its levels.
design_matrix <- function(formula, frame, contrasts.arg) {
  terms <- stats::terms(formula)
  used <- intersect(names(contrasts.arg), all.vars(formula))
  contrasts.arg <- if (length(used)) contrasts.arg[used] else NULL
  at_least_two_levels(terms, frame)
  matrix <- as_refusal(stats::model.matrix(terms, frame, contrasts.arg = contrasts.arg))
  assign <- attr(matrix, "assign")
  kept <- matrix[, assign != 0L, drop = FALSE]
  storage.mode(kept) <- "double"
  dimnames(kept) <- list(NULL, colnames(kept))
  attr(kept, "assign") <- NULL
  list(
    matrix = kept, terms = terms, assign = assign[assign != 0L], contrasts = attr(matrix, "contrasts"),
    xlevels = stats::.getXlevels(terms, frame), intercept = attr(terms, "intercept") == 1L
  )
}

at_least_two_levels <- function(terms, frame) {
  for (name in used_variables(terms)) {
    column <- frame[[name]]
    if (!is.factor(column) && !is.character(column)) next
    levels <- unique(as.character(column))
    if (length(levels) < 2L) {
      refuse(
        paste0(name, " has one level only ('", levels, "') in the rows that are fitted; leave it out of the formula"),
        "ArgumentError"
      )
    }
  }
}

variable_names <- function(terms) vapply(as.list(attr(terms, "variables"))[-1L], deparse1, "")

# The variables that stand in a term: terms also list those that were subtracted, and offsets.
used_variables <- function(terms) {
  factors <- attr(terms, "factors")
  if (length(factors)) variable_names(terms)[rowSums(factors) > 0] else character()
}

merged <- function(lists) Reduce(utils::modifyList, Filter(length, lists), list())

# Which columns of the data the right-hand side needs, and whether each holds numbers or labels.
column_kinds <- function(frame, data) {
  names <- intersect(all.vars(frame$terms), names(data))
  vapply(stats::setNames(names, names), function(name) kind(data[[name]]), "")
}

kind <- function(column) {
  if (is.factor(column) || is.character(column)) return("labels")
  if (is.numeric(column)) "numbers" else class(column)[1L]
}
