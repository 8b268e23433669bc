# Calls every function and method of the R package with nasty arguments, and says what comes back that should not.
#
#   Rscript fuzz.R SEED FROM TO [CORPUS]     # cases FROM to TO of a seed, after the calls of a corpus, a line each
#
# A case is a valid call (calls.R) some of whose arguments are replaced by values of a pool (pool.R), as its seed and number
# say. What may come back is a value, an error of matbn's family, a warning of ours, or R's own word on missing and
# unused arguments. Anything else is a finding: another error, another warning, a number that is not finite without a
# word about it. fuzz_r.py runs this, and sees to cases that take too long or end the process.

suppressMessages(library(matbn))
given <- commandArgs(TRUE)
seed <- as.integer(given[1])
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
world <- new.env()
sys.source(file.path(here, "calls.R"), world)
sys.source(file.path(here, "pool.R"), world)
options(warn = 1, digits = 7)
grDevices::pdf(NULL)

# Each exported function and method must have a call.
space <- asNamespace("matbn")
methods <- getNamespaceInfo(space, "S3methods")
generics <- sub("^generics::", "", methods[, 1])
called <- vapply(world$calls, function(call) paste(deparse(call), collapse = ""), "")
wanted <- setdiff(c(getNamespaceExports(space), generics), c("matbn_install", "["))
lacking <- Filter(function(name) !any(grepl(paste0("^(generics::)?", name, "\\("), called)), wanted)
if (length(lacking)) stop("no call in calls.R of ", paste(lacking, collapse = ", "))

family <- c(
  "MemoryLimitError",
  "ArgumentError", "ShapeError", "ElementTypeError", "NotFiniteError", "VarianceError", "InferenceError", "RFunctionError",
  "InstallationError", "PythonError", "MatbnError", "DataChangedError", "FileError"
)
rs_own <- "is missing, with no default|unused argument|matched by multiple actual arguments|matches multiple formal arguments"

is_ours <- function(condition) {
  if (!inherits(condition, "matbn_error")) return(grepl(rs_own, conditionMessage(condition)))
  class(condition)[1] %in% paste0("matbn_", family)
}

# NaN and infinity anywhere in a value; NA is R's word for what is missing.
not_finite <- function(x, depth = 0) {
  if (depth > 6) return(FALSE)
  if (is.list(x)) return(any(vapply(unclass(x), not_finite, NA, depth + 1)))
  (is.double(x) || is.complex(x)) && any(is.nan(x) | is.infinite(x))
}

# How often something is done may be very often, which takes its time and is no error.
nasty <- function(name) {
  value <- world$pool[[sample.int(length(world$pool), 1L)]]
  amounts <- c("starts", "replicates", "folds", "directions", "sizes", "size", "iterations")
  plain <- tryCatch(eval(value, new.env(parent = world)), error = function(e) NULL)
  if (name %in% amounts && is.numeric(plain) && any(plain > 100, na.rm = TRUE)) 3 else value
}

drawn <- function(number) {
  set.seed(seed + 7919L * number)
  call <- world$calls[[sample.int(length(world$calls), 1L)]]
  # The first argument of a method chooses it, and so stays.
  generic <- deparse(call[[1]]) %in% setdiff(c(generics, paste0("generics::", generics)), "matbn")
  places <- seq_along(call)[-seq_len(1L + generic)]
  if (!length(places)) return(call)
  for (place in places[sample.int(length(places), min(length(places), sample(c(1L, 1L, 1L, 2L, 3L), 1L)))]) {
    call[[place]] <- nasty(names(call)[place])
  }
  call
}

shortened <- function(text) gsub("[\n\t]", " ", substr(paste(text, collapse = " "), 1, 600))

report <- function(kind, call, message) {
  cat("FOUND", kind, shortened(deparse(call, width.cutoff = 500L)), shortened(iconv(message, "", "UTF-8", sub = "byte")), sep = "\t")
  cat("\n")
}

try_call <- function(call) {
  ours <- FALSE
  others <- character() # told in the end, for what is printed meanwhile is caught
  value <- tryCatch(
    withCallingHandlers(
      {
        utils::capture.output(value <- eval(call, new.env(parent = world)), type = "output")
        value
      },
      warning = function(w) {
        if (inherits(w, "matbn_warning")) {
          ours <<- TRUE
        } else if (!grepl("mbcsToSbcs", conditionMessage(w))) { # the pdf device has no letters but Latin ones
          others <<- c(others, conditionMessage(w))
        }
        invokeRestart("muffleWarning")
      },
      message = function(m) invokeRestart("muffleMessage")
    ),
    error = function(e) {
      if (!is_ours(e)) report(paste(class(e)[1], "error"), call, conditionMessage(e))
      NULL
    }
  )
  for (message in unique(others)) report("warning", call, message)
  says <- ours || inherits(value, "matbn") && length(value$messages)
  # The heat maps' logarithms are -Inf where entries are equal.
  logarithms <- deparse(call[[1]]) == "plot" && identical(call[[2]], quote(gradient))
  if (!says && !logarithms && not_finite(value)) report("not finite", call, "")
}

run <- function(number, call) {
  cat("CASE", number, shortened(deparse(call, width.cutoff = 500L)), sep = "\t")
  cat("\n")
  flush(stdout())
  try_call(call)
}

if (length(given) > 3L) {
  lines <- readLines(given[4], encoding = "UTF-8")
  corpus <- parse(text = lines[nzchar(lines) & !startsWith(lines, "#")], keep.source = FALSE)
  for (k in seq_along(corpus)) run(-k, corpus[[k]])
}
from <- as.integer(given[2])
to <- as.integer(given[3])
for (number in seq_len(max(0L, to - from + 1L)) + from - 1L) run(number, drawn(number))
cat("DONE\n")
