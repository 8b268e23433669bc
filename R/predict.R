# Predictions, in plain R.

#' @rdname matbn-methods
#' @export
predict.matbn <- function(object, newdata, linear = NULL, effects = NULL, na.action = stats::na.pass, ...) {
  call <- sys.call()
  with_call(call, {
    others <- names(list(...))
    if (...length()) {
      refuse(
        paste0("predict() takes newdata, linear, effects and na.action here, but not ", if (is.null(others)) "more" else listed(others)),
        "ArgumentError"
      )
    }
    if (missing(newdata)) {
      stats::napredict(object$na.action, object$fitted.values)
    } else if (is.null(object$formula)) {
      predicted(object, array_parts(object, newdata, linear, effects))
    } else {
      if (!is.null(linear) || !is.null(effects)) {
        refuse("linear and effects are for fits of matrices; here newdata holds all columns", "ArgumentError")
      }
      frame <- new_frame(object, newdata, na.action)
      stats::napredict(attr(frame, "na.action"), predicted(object, frame_parts(object, frame)))
    }
  })
}

# The sum of the parts: columns of the linear part, inputs of each net, groups of each effect, an offset.
predicted <- function(object, parts) {
  b <- object$coefficients
  b[is.na(b)] <- 0
  linear <- if (length(object$effects)) parts$linear else cbind(1, parts$linear)
  total <- drop(linear %*% b)
  for (k in seq_along(object$nets)) {
    net <- object$nets[[k]]
    total <- total + drop(activation_value(object$activation, node_values(parts$nets[[k]], net)) %*% net$Gamma2)
  }
  for (name in names(object$effects)) total <- total + of_groups(object$effects[[name]], parts$effects[[name]], name)
  if (!is.null(parts$offset)) total <- total + parts$offset
  stats::setNames(unname(total), parts$rows)
}

# What enters the activation.
node_values <- function(Z, net) {
  sweep(sweep(Z, 2L, net$mean) %*% sweep(net$Gamma1, 2L, net$gamma, "*"), 2L, net$beta, "+")
}

of_groups <- function(estimates, labels, name) {
  labels <- as.character(labels)
  unseen <- setdiff(labels[!is.na(labels)], names(estimates))
  if (length(unseen)) {
    refuse(paste0(name, " has groups that the fit has not seen: ", listed(unseen, 5L)), "ArgumentError")
  }
  unname(estimates[labels])
}

frame_parts <- function(object, frame) {
  part <- function(recipe) stats::model.matrix(recipe$terms, frame, contrasts.arg = recipe$contrasts)[, -1L, drop = FALSE]
  list(
    linear = part(object$linear), nets = lapply(object$nets, part), effects = frame[names(object$effects)],
    offset = offset_of(frame), rows = rownames(frame)
  )
}

# One model frame for all parts, so that rows with missing values leave all of them together.
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

activation_value <- function(name, B) {
  switch(name,
    relu = pmax(B, 0),
    leaky_relu = ifelse(B > 0, B, 0.01 * B),
    tanh = tanh(B),
    logistic = stats::plogis(B),
    softplus = pmax(B, 0) + log1p(exp(-abs(B))),
    gelu = B * stats::pnorm(B),
    sine = sin(B),
    identity = B,
    refuse(paste0("activation '", name, "' is none that R knows"), "ArgumentError", NULL)
  )
}
