# Every error is a condition of class matbn_error, with a class for its kind before it.

raise <- function(message, classes, call) {
  if (identical(classes, "interrupt")) {
    # Python has stopped; R goes on as it does after Ctrl-C in its own code.
    signalCondition(structure(list(message = "", call = call), class = c("interrupt", "condition")))
    invokeRestart("abort")
  }
  stop(structure(list(message = message, call = call), class = c(classes, "error", "condition")))
}

caution <- function(messages, call) {
  for (message in messages) {
    classes <- c("matbn_PrecisionWarning", "matbn_warning", "warning", "condition")
    warning(structure(list(message = message, call = call), class = classes))
  }
}

refuse <- function(message, kind, call = sys.call(-2)) {
  raise(message, c(paste0("matbn_", kind), "matbn_error"), call)
}
