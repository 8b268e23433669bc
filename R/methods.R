# What an R user tries on a fit. Nothing here needs Python.

#' Methods for fitted nets
#'
#' Predictions, printing and the parts of a fit; none of them needs Python.
#'
#' @param object,x a fit by [matbn()].
#' @param newdata a data frame with the variables of the formula; without it, the fit's own rows.
#' @param na.action what to do with rows of newdata that have missing values; by default they get NA.
#' @param digits how many significant digits to print.
#' @param ... not used.
#' @return `predict` returns a vector of predictions, `nobs` the number of rows, `formula` the formula.
#' @name matbn-methods
NULL

#' @rdname matbn-methods
#' @export
predict.matbn <- function(object, newdata, na.action = stats::na.pass, ...) {
  if (missing(newdata)) {
    return(stats::napredict(object$na.action, object$fitted.values))
  }
  part <- function(recipe) {
    frame <- stats::model.frame(recipe$terms, newdata, na.action = na.action, xlev = recipe$xlevels)
    stats::.checkMFClasses(attr(recipe$terms, "dataClasses"), frame)
    stats::model.matrix(recipe$terms, frame, contrasts.arg = recipe$contrasts)[, -1L, drop = FALSE]
  }
  b <- object$coefficients
  b[is.na(b)] <- 0
  linear <- part(object$linear)
  if (!length(object$effects)) linear <- cbind(1, linear)
  total <- drop(linear %*% b)
  for (net in object$nets) {
    Z <- sweep(part(net), 2L, net$mean)
    B <- sweep(Z %*% sweep(net$Gamma1, 2L, net$gamma, "*"), 2L, net$beta, "+")
    total <- total + drop(activation_value(object$activation, B) %*% net$Gamma2)
  }
  for (name in names(object$effects)) {
    estimates <- object$effects[[name]]
    if (is.null(newdata[[name]])) refuse(paste0("newdata has no variable ", name), "ArgumentError", sys.call())
    labels <- as.character(newdata[[name]])
    unseen <- setdiff(labels[!is.na(labels)], names(estimates))
    if (length(unseen)) {
      refuse(
        paste0(name, " has groups that the fit has not seen: ", paste(utils::head(unseen, 5L), collapse = ", ")),
        "ArgumentError", sys.call()
      )
    }
    total <- total + unname(estimates[labels])
  }
  stats::setNames(total, rownames(newdata))
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

#' @rdname matbn-methods
#' @export
print.matbn <- function(x, digits = max(3L, getOption("digits") - 3L), ...) {
  cat("\nCall: ", paste(deparse(x$call), collapse = "\n"), "\n", sep = "")
  if (length(x$coefficients)) {
    cat("\nLinear part:\n")
    print(format(x$coefficients, digits = digits), quote = FALSE)
  }
  for (name in names(x$effects)) cat("\nFixed effects of ", name, ": ", length(x$effects[[name]]), " groups\n", sep = "")
  for (net in x$nets) {
    cat("\n", net$label, ": ", length(net$gamma), " node(s), ", x$activation, ", on ", paste(rownames(net$Gamma1), collapse = ", "), "\n", sep = "")
  }
  cat("\n", length(x$residuals), " rows, R-squared ", format(x$r.squared, digits = digits), sep = "")
  if (length(x$effects)) cat(", within ", format(x$within.r.squared, digits = digits), sep = "")
  cat("\n")
  if (nrow(x$searches)) {
    cat(x$searches$status[1L], " after ", x$searches$iterations[1L], " iterations", sep = "")
    if (nrow(x$searches) > 1L) {
      losses <- format(range(x$searches$loss), digits = digits)
      cat("; ", nrow(x$searches), " starts ended at losses from ", losses[1L], " to ", losses[2L], sep = "")
    }
    cat("\n")
  }
  for (message in x$messages) cat("note: ", message, "\n", sep = "")
  invisible(x)
}

#' @rdname matbn-methods
#' @importFrom stats nobs
#' @export
nobs.matbn <- function(object, ...) length(object$residuals)

#' @rdname matbn-methods
#' @importFrom stats formula
#' @export
formula.matbn <- function(x, ...) x$formula
