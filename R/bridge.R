# The only file that touches reticulate. reticulate starts Python and calls one function that takes no arguments; every
# later call goes through R closures, which Python has put into the environment of option "matbn.bridge".

session <- new.env(parent = emptyenv())

# Call a Python function by its name. The answer is a list of the value; of the value and warnings; or of NULL, an error's
# message and its classes.
bridge_call <- function(name, ...) {
  closure <- session$functions[[name]]
  if (is.null(closure)) {
    start_bridge()
    closure <- session$functions[[name]]
  }
  answer <- closure(...)
  if (length(answer) == 1L) {
    return(answer[[1L]])
  }
  if (length(answer) == 2L) {
    for (warning in answer[[2L]]) warned(warning[1L], warning[2L], sys.call(-1))
    return(answer[[1L]])
  }
  raise(answer[[2L]], answer[[3L]], sys.call(-1))
}

start_bridge <- function() {
  functions <- getOption("matbn.bridge")
  if (!is.environment(functions)) {
    # A Python session that has R inside has set the option already, and reticulate must stay out of it.
    choose_python()
    functions <- new.env(parent = emptyenv())
    options(matbn.bridge = functions)
    started <- tryCatch(setup_python(), error = identity)
    if (inherits(started, "error")) {
      options(matbn.bridge = NULL)
      no_python(conditionMessage(started))
    }
  }
  session$functions <- functions
}

setup_python <- function() {
  # While rpy2 starts, it releases Python's lock, which finalizers of old versions of reticulate take for granted: run
  # them now.
  gc()
  reticulate::import_from_path("matbn.rbridge.session", bundled_python(), convert = FALSE)$setup()
}

bundled_python <- function() {
  directory <- system.file("python", package = "matbn")
  if (!nzchar(directory)) {
    refuse("the package's own Python code is missing: install matbn again", "InstallationError")
  }
  directory
}

# Choose a Python: one that runs already, one that the user asked for, the one of matbn_install(), one that reticulate
# makes by itself (from 1.41 on), or one that has rpy2.
choose_python <- function() {
  if (reticulate::py_available(initialize = FALSE) || nzchar(Sys.getenv("RETICULATE_PYTHON"))) {
    return(invisible())
  }
  own <- environment_python()
  if (file.exists(own)) {
    reticulate::use_python(own, required = TRUE)
  } else if (!"py_require" %in% getNamespaceExports("reticulate")) {
    python <- tryCatch(reticulate::py_discover_config("rpy2"), error = function(e) NULL)
    if (is.null(python) || is.null(python$required_module_path)) {
      no_python("no Python with rpy2 was found")
    }
    reticulate::use_python(python$python, required = TRUE)
  }
}

no_python <- function(reason) {
  refuse(
    paste0(
      "matbn cannot start Python: ", trimws(reason),
      "\n  matbn_install() makes a Python environment with all that it needs; then start R again.",
      "\n  matbn_config() says what was found."
    ),
    "PythonError",
    call = NULL
  )
}
