# Errors and warnings. Every error is a condition of class matbn_error, with a class for its kind before it.

raise <- function(message, classes, call) {
  if (identical(classes, "interrupt")) {
    # Python has stopped; R goes on as it does after Ctrl-C in its own code.
    signalCondition(structure(list(message = "", call = call), class = c("interrupt", "condition")))
    invokeRestart("abort")
  }
  stop(structure(list(message = message, call = call), class = c(classes, "error", "condition")))
}

warned <- function(message, kind, call) {
  warning(structure(list(message = message, call = call), class = c(kind, "matbn_warning", "warning", "condition")))
}

refuse <- function(message, kind, call = sys.call(-2)) {
  raise(message, c(paste0("matbn_", kind), "matbn_error"), call)
}

# Run code whose errors show the call that the user wrote, however deep inside they arise.
with_call <- function(call, code) {
  withCallingHandlers(code, matbn_error = function(e) {
    e$call <- call
    stop(e)
  })
}

# Run code in which errors of R's own functions become matbn's; `about` begins their message.
as_refusal <- function(code, about = NULL) {
  tryCatch(code, error = function(e) {
    if (inherits(e, "matbn_error")) stop(e)
    refuse(paste0(about, conditionMessage(e)), "ArgumentError")
  })
}

listed <- function(names, most = 8L) {
  paste(c(utils::head(names, most), if (length(names) > most) "..."), collapse = ", ")
}
