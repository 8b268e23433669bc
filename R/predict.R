# Predictions, in plain R; Python computes their standard errors.

#' @rdname matbn-methods
#' @export
predict.matbn <- function(object, newdata, linear = NULL, effects = NULL, na.action = stats::na.pass, se.fit = FALSE,
                          interval = c("none", "confidence", "prediction"), level = 0.95, vcov = "iid",
                          correction = "sandwich", unseen = c("error", "zero", "average", "estimate"), outcomes = NULL, ...) {
  nothing_more("predict() of a fit", ...)
  call <- sys.call()
  interval <- with_call(call, as_refusal(match.arg(interval), "interval: "))
  unseen <- with_call(call, as_refusal(match.arg(unseen), "unseen: "))
  with_call(call, {
    check_level(level)
    flag(se.fit, "se.fit")
    parts <- NULL
    omitted <- object$na.action
    if (missing(newdata)) {
      value <- object$fitted.values
    } else {
      if (is.null(object$formula)) {
        vectors_or_lists(newdata = newdata, effects = effects)
        parts <- matrix_parts(object, newdata, linear, effects)
        if (!is.null(outcomes)) parts$outcomes <- as_outcomes(outcomes, nrow(parts$linear))
        omitted <- NULL
      } else {
        if (!is.null(linear) || !is.null(effects)) {
          refuse("linear and effects are for fits of matrices; here newdata holds all columns", "ArgumentError")
        }
        frame <- new_frame(object, newdata, na.action)
        parts <- frame_parts(object, frame)
        omitted <- attr(frame, "na.action")
        if (unseen == "estimate") parts$outcomes <- new_outcomes(object, newdata, frame, outcomes)
      }
      if (unseen == "estimate") parts$new <- new_groups(object, parts)
      value <- predicted(object, parts, unseen)
    }
    if (!se.fit && interval == "none") {
      stats::napredict(omitted, value)
    } else {
      prediction_with_errors(object, parts, value, omitted, se.fit, interval, level, vcov, correction, unseen)
    }
  })
}

# Refuse formulas, functions and the like, which are neither numbers nor labels.
vectors_or_lists <- function(...) {
  given <- list(...)
  for (name in names(given)) {
    if (!is.null(given[[name]]) && !is.atomic(given[[name]]) && !is.list(given[[name]])) {
      refuse(paste0(name, " is of class ", class(given[[name]])[1L], ", but must hold numbers or labels"), "ElementTypeError")
    }
  }
}

# Predictions in the forms of predict.lm: a matrix with bounds, a list with errors.
prediction_with_errors <- function(object, parts, value, omitted, se.fit, interval, level, vcov, correction, unseen) {
  complete <- if (is.null(parts)) rep(TRUE, length(value)) else !is.na(value)
  rows <- NULL # without complete new rows the fit's own, for what does not depend on rows
  if (!is.null(parts) && any(complete)) {
    rows <- list(
      nets = lapply(parts$nets, function(Z) unname(Z[complete, , drop = FALSE])),
      linear = if (ncol(parts$linear)) unname(parts$linear[complete, , drop = FALSE]),
      effects = unname(lapply(names(object$effects), function(name) {
        known <- names(object$effects[[name]])
        labels <- as.character(parts$effects[[name]][complete])
        as.double(match(labels, c(known, setdiff(labels, known)))) # new groups after those of the fit
      })),
      outcomes = parts$outcomes[complete]
    )
  }
  out <- bridge_call(
    "prediction_errors", object$model, solution(object), rows, if (unseen == "estimate") unseen else "zero",
    errors_wanted(object, vcov), text(correction, "correction")
  )
  error <- rep(NA_real_, length(value))
  if (any(complete)) error[complete] <- known_errors(out$error)
  error <- stats::setNames(error, names(value))
  spread <- if (interval == "prediction") out$sigma * sqrt((error / out$sigma)^2 + 1) else error
  fit <- if (interval == "none") value else cbind(fit = value, bounds(value, spread, out$df, level, c("lwr", "upr")))
  fit <- stats::napredict(omitted, fit)
  if (!se.fit) return(fit)
  list(fit = fit, se.fit = stats::napredict(omitted, error), df = out$df, residual.scale = out$sigma)
}

# The sum of the parts: linear part, nets, fixed effects, offset.
predicted <- function(object, parts, unseen = "error") {
  b <- object$coefficients
  b[is.na(b)] <- 0
  linear <- if (object$intercept) cbind(rep(1, nrow(parts$linear)), parts$linear) else parts$linear
  total <- drop(linear %*% b)
  for (k in seq_along(object$nets)) {
    net <- object$nets[[k]]
    total <- total + drop(activations[[object$activation]](node_values(parts$nets[[k]], net)) %*% net$Gamma2)
  }
  for (name in names(object$effects)) {
    average <- sum(object$effects[[name]] * counts_of(object, name))
    total <- total + of_groups(object$effects[[name]], parts$effects[[name]], name, unseen, average)
  }
  if (!is.null(parts$offset)) total <- total + parts$offset
  if (!is.null(parts$new)) total <- total + means_of_new(parts$new, parts$outcomes - total)
  stats::setNames(unname(total), parts$rows)
}

# The activation's input at each node: normalised, scaled and shifted.
node_values <- function(Z, net) {
  sweep(sweep(Z, 2L, net$mean) %*% sweep(net$Gamma1, 2L, net$gamma, "*"), 2L, net$beta, "+")
}

of_groups <- function(estimates, labels, name, unseen, average) {
  labels <- as.character(labels)
  new <- setdiff(labels[!is.na(labels)], names(estimates))
  if (length(new) && unseen == "error") {
    refuse(
      paste0(
        name, " has groups that the fit has not seen: ", listed(new, 5L),
        "; unseen = \"average\" or \"zero\" predicts them nevertheless, \"estimate\" from known outcomes"
      ),
      "ArgumentError"
    )
  }
  effect <- unname(estimates[labels])
  effect[!is.na(labels) & labels %in% new] <- if (unseen == "average") average else 0
  effect
}

# For each row the name of its group if the fit has not seen it, or NA.
new_groups <- function(object, parts) {
  group <- rep(NA_character_, nrow(parts$linear))
  for (name in names(object$effects)) {
    labels <- as.character(parts$effects[[name]])
    new <- !is.na(labels) & !labels %in% names(object$effects[[name]])
    if (any(new & !is.na(group))) {
      refuse(
        paste0(
          "rows have new groups in more than one effect, at ", listed(which(new & !is.na(group)), 5L),
          ": their effects cannot be told apart; unseen = \"average\" predicts them"
        ),
        "ArgumentError"
      )
    }
    group[new] <- paste(name, labels[new])
  }
  without <- setdiff(group[!is.na(group)], group[!is.na(parts$outcomes)])
  if (length(without)) {
    refuse(
      paste0(
        "no outcome is known of ", listed(without, 5L), ", from which to estimate its effect: ",
        "newdata needs the outcome's column, or give outcomes = "
      ),
      "ArgumentError"
    )
  }
  group
}

# For each row the mean over its new group's rows with known outcomes; 0 in groups that the fit has seen.
means_of_new <- function(group, left) {
  means <- tapply(left, group, mean, na.rm = TRUE)
  as.vector(ifelse(is.na(group), 0, unname(means[group])))
}

new_outcomes <- function(object, newdata, frame, outcomes) {
  if (is.null(outcomes)) {
    if (!all(all.vars(object$frame$outcome) %in% names(newdata))) return(NULL)
    outcomes <- as_refusal(eval(object$frame$outcome, newdata, environment(object$formula)), "newdata: ")
  }
  outcomes <- as_outcomes(outcomes, nrow(newdata))
  omitted <- attr(frame, "na.action")
  if (is.null(omitted)) outcomes else outcomes[-omitted]
}

# Known outcomes of new rows, checked; NA where there is none.
as_outcomes <- function(outcomes, rows) {
  outcomes <- as.vector(numbers(outcomes, "outcomes"))
  if (is.complex(outcomes) || any(is.infinite(outcomes))) refuse("outcomes must be finite numbers, or NA", "ArgumentError")
  if (length(outcomes) != rows) {
    refuse(paste0("outcomes have length ", length(outcomes), ", but newdata ", rows, " rows"), "ShapeError")
  }
  outcomes
}

# Each group's share of all weights, or of all rows.
counts_of <- function(object, name) {
  codes <- object$model$effects[[match(name, names(object$effects))]]
  w <- if (is.null(object$weights)) rep(1, length(codes)) else object$weights
  tapply(w, factor(codes, seq_along(object$effects[[name]])), sum) / sum(w)
}

frame_parts <- function(object, frame) {
  part <- function(recipe) {
    matrix <- stats::model.matrix(recipe$terms, frame, contrasts.arg = recipe$contrasts)
    matrix[, attr(matrix, "assign") != 0L, drop = FALSE]
  }
  list(
    linear = part(object$linear), nets = lapply(object$nets, part), effects = frame[names(object$effects)],
    offset = offset_of(frame), rows = rownames(frame)
  )
}

# One model frame for all parts, so that rows with missing values are left out of all parts alike.
new_frame <- function(object, newdata, na.action) {
  newdata <- checked_newdata(object, newdata)
  frame <- as_refusal(
    stats::model.frame(object$frame$terms, newdata, na.action = na.action, xlev = object$frame$xlevels), "newdata: "
  )
  classes <- attr(object$frame$terms, "dataClasses")
  classes <- classes[!names(classes) %in% names(object$effects)] # groups are compared as text
  as_refusal(stats::.checkMFClasses(classes, frame), "newdata: ")
  if (nrow(frame) + length(attr(frame, "na.action")) != nrow(newdata)) {
    refuse(
      paste0("newdata has ", nrow(newdata), " rows, but variables of the formula that it lacks have ", nrow(frame)),
      "ShapeError"
    )
  }
  frame
}

checked_newdata <- function(object, newdata) {
  if (!is.data.frame(newdata)) {
    refuse(paste0("newdata must be a data frame, but is of class ", class(newdata)[1L]), "ElementTypeError")
  }
  kinds <- object$columns
  lacking <- setdiff(c(names(kinds), names(object$effects)), names(newdata))
  if (length(lacking)) refuse(paste0("newdata has no column ", listed(lacking)), "ArgumentError")
  for (name in setdiff(names(kinds), names(object$effects))) {
    column <- newdata[[name]]
    no_integer64(column, name)
    if (is.logical(column) && all(is.na(column))) { # NA alone is logical, but stands for any missing value
      if (kinds[[name]] == "numbers") newdata[[name]] <- as.double(column)
      if (kinds[[name]] == "labels") newdata[[name]] <- as.character(column)
    } else if (kind(column) != kinds[[name]]) {
      refuse(
        paste0("newdata's column ", name, " is of class ", class(column)[1L], ", but held ", kinds[[name]], " in the fit"),
        "ElementTypeError"
      )
    }
  }
  newdata
}
