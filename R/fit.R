# From a model to a fit, for formulas and matrices alike. A model is a list of outcomes, linear part, nets, fixed effects
# and weights as arrays, with their names.

fitted_by_python <- function(model, search) {
  check_model(model)
  check_choices(search)
  seed <- search$seed
  if (is.null(seed)) seed <- sample.int(.Machine$integer.max, 1L)
  arrays <- python_arrays(model)
  out <- bridge_call(
    "fit", arrays,
    list(
      activation = search$activation, penalty = search$penalty,
      linear_penalty = number(search$linear_penalty, "linear_penalty"), solver = text(search$solver, "solver"),
      starts = if (!is.null(search$starts)) number(search$starts, "starts"), seed = number(seed, "seed"),
      tolerance = number(search$tolerance, "tolerance"), tol = number(search$tol, "tol"),
      iterations = if (!is.null(search$iterations)) number(search$iterations, "iterations")
    ),
    if (flag(search$progress, "progress")) answering(show_progress)
  )
  if (isTRUE(search$progress)) end_progress()
  fit <- as_fit(out, model, search$activation)
  fit$seed <- seed
  fit$solver <- search$solver
  fit$model <- arrays
  fit$theta <- out$theta
  fit
}

# The model as Python takes it. The fit keeps it, as all questions to Python about the fit bring it.
python_arrays <- function(model) {
  list(
    y = if (is.null(model$offset)) model$y else model$y - model$offset,
    nets = lapply(model$nets, function(net) {
      list(
        Z = net$matrix, size = number(net$size, paste0(net$label, ": size")), basis = optional(net$basis, "basis"),
        mask = optional(net$mask, "mask"), label = text(net$label, "label"), names = as.list(colnames(net$matrix))
      )
    }),
    linear = if (ncol(model$linear$matrix)) model$linear$matrix, linear_names = as.list(colnames(model$linear$matrix)),
    effects = unname(lapply(model$effects, as.double)), weights = optional(model$weights, "weights"),
    intercept = as.double(model$intercept)
  )
}

# Show progress in one line on the console, which is written over at each call.
show_progress <- function(starts, finished, iterations, loss) {
  cat(sprintf("\rmatbn: %d of %d starts, %d iterations, loss %.6g    ", finished, starts, iterations, loss), file = stderr())
  utils::flush.console()
  0
}

end_progress <- function() cat("\r", strrep(" ", 70L), "\r", sep = "", file = stderr())

# Check a model's numbers. Python checks them too, but does not know columns and rows by their names.
check_model <- function(model) {
  if (!is.null(model$weights)) check_weights(model$weights, model$effects)
  finite(model$y, model$name, model$rows)
  if (!is.null(model$offset)) finite(model$offset, "the offset", model$rows)
  finite(model$linear$matrix, "the linear part", model$rows)
  counts <- if (is.null(model$weights)) rep(TRUE, length(model$y)) else model$weights > 0
  for (net in model$nets) {
    finite(net$matrix, net$label, model$rows)
    constant <- apply(net$matrix[counts, , drop = FALSE], 2L, function(column) all(column == column[1L]))
    if (any(constant) && is.null(net$basis)) {
      refuse(
        paste0(
          net$label, ": ", listed(colnames(net$matrix)[constant]),
          " is the same in all rows, so that a net can learn nothing from it; leave it out"
        ),
        "ArgumentError"
      )
    }
    whole(net$size, paste0(net$label, ": size"))
  }
}

check_weights <- function(w, effects) {
  if (!is.numeric(w)) refuse(paste0("weights are of class ", class(w)[1L], ", but must be numbers"), "ElementTypeError")
  if (anyNA(w)) refuse(paste0("weights have ", sum(is.na(w)), " missing values; drop those rows"), "NotFiniteError")
  if (any(w < 0)) refuse(paste0("weights have ", sum(w < 0), " negative entries; they must be at least 0"), "ArgumentError")
  if (!all(is.finite(w))) refuse("weights have infinite entries", "NotFiniteError")
  if (!any(w > 0)) refuse("weights are all zero; at least one row must count", "ArgumentError")
  for (name in names(effects)) {
    empty <- setdiff(levels(effects[[name]]), as.character(effects[[name]][w > 0]))
    if (length(empty)) {
      refuse(paste0("weights are all zero in groups of ", name, ": ", listed(empty, 5L), "; drop their rows"), "ArgumentError")
    }
  }
}

check_choices <- function(search) {
  activation <- text(search$activation, "activation")
  if (!activation %in% names(activations)) {
    refuse(paste0("activation is '", activation, "', but must be one of ", listed(names(activations), 20L)), "ArgumentError")
  }
  penalty <- search$penalty
  named <- identical(penalty, "cv") || identical(penalty, "gcv")
  if (!is.null(penalty) && !named && (!is.numeric(penalty) || length(penalty) != 1L || !is.finite(penalty) || penalty < 0)) {
    refuse(
      paste0("penalty is ", deparse1(penalty), ", but must be a finite number, 0 or larger, \"cv\" or \"gcv\""), "ArgumentError"
    )
  }
}

# Refuse what is not finite, by the names of its column and rows.
finite <- function(x, what, rows) {
  bad <- which(!is.finite(x), arr.ind = TRUE)
  if (!length(bad)) return(invisible())
  at <- if (is.matrix(bad)) bad[bad[, 2L] == bad[1L, 2L], 1L] else bad
  column <- if (is.matrix(bad)) colnames(x)[bad[1L, 2L]]
  values <- if (is.matrix(bad)) x[bad[1L, , drop = FALSE]] else x[at[1L]]
  refuse(
    paste0(
      what, if (!is.null(column)) paste0(", column ", column), " has ", format(values), " in ", length(at), " row(s): ",
      listed(if (is.null(rows)) at else ifelse(nzchar(rows[at]), rows[at], at)), "; drop or mend them"
    ),
    "NotFiniteError"
  )
}

whole <- function(x, name) {
  if (!(is.numeric(x) && length(x) == 1L && is.finite(x) && x == round(x) && x >= 1)) {
    refuse(paste0(name, " must be a whole number, 1 or more, but is ", deparse1(x)), "ArgumentError")
  }
}

# The fit as users hold it, from Python's answer and the model.
as_fit <- function(out, model, activation) {
  coefficients <- out$coefficients
  coefficients[is.nan(coefficients)] <- NA_real_
  names(coefficients) <- c(if (model$intercept) "(Intercept)", colnames(model$linear$matrix))
  fitted <- if (is.null(model$offset)) out$fitted else out$fitted + model$offset
  named <- function(values) stats::setNames(values, model$rows)
  fit <- list(
    coefficients = coefficients,
    nets = if (length(out$nets)) Map(as_net, out$nets, model$nets) else list(),
    effects = Map(function(codes, estimates) stats::setNames(estimates, levels(codes)), model$effects, out$effects),
    fitted.values = named(fitted), residuals = named(out$residuals), offset = model$offset,
    activation = activation, penalty = out$penalty, linear.penalty = out$linear_penalty, edf = out$edf, rank = out$rank,
    r.squared = out$r_squared, within.r.squared = out$within_r_squared,
    residual.norm = out$residual_norm, weights = model$weights, intercept = model$intercept, tol = out$tol,
    N.counted = if (is.null(model$weights)) length(model$y) else sum(model$weights > 0),
    searches = as.data.frame(lapply(out$searches, unlist)),
    messages = c(left_out(length(model$na.action)), as.character(unlist(out$messages))),
    traces = out$traces, converged = out$converged, linear = recipe(model$linear), frame = model$frame, na.action = model$na.action,
    version = 1L
  )
  class(fit) <- "matbn"
  fit
}

left_out <- function(rows) {
  if (rows) paste(rows, if (rows == 1L) "row" else "rows", "with missing values left out")
}

as_net <- function(solved, net) {
  nodes <- seq_along(solved$gamma)
  solved$Gamma1 <- matrix(solved$Gamma1, ncol = length(nodes), dimnames = list(colnames(net$matrix), nodes))
  # The largest absolute input of each node's activation in the fit's rows, by which as_nnet() sees where digits are lost.
  solved$reach <- apply(abs(node_values(net$matrix, solved)), 2L, max)
  c(list(label = net$label), solved, recipe(net))
}

# What is needed to make a part's columns from new data.
recipe <- function(part) part[intersect(c("terms", "assign", "contrasts", "given"), names(part))]
