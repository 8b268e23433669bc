#' Install the Python environment that matbn computes in
#'
#' Makes a virtual environment of matbn's own, with NumPy, SciPy and rpy2-rinterface in the version that this R takes,
#' and asks before it replaces one. With reticulate 1.41 or later there is no need to call it: reticulate then makes an
#' environment at the first call, for which it downloads a Python of its own.
#'
#' rpy2-rinterface is compiled, which takes a C compiler and the headers of R and Python (on Debian and Ubuntu the
#' packages r-base-dev, python3-dev and python3-venv).
#'
#' @param python the Python to build the environment with, 3.11 or later.
#' @param ask whether to ask before an existing environment is replaced.
#' @return The path of the environment's Python, invisibly. Start R again before you use it, if Python was running.
#' @examples
#' \dontrun{
#' matbn_install()
#' }
#' @export
matbn_install <- function(python = Sys.which("python3"), ask = interactive()) {
  if (!nzchar(python)) {
    refuse("no python3 is on the PATH: install Python 3.11 or later, or give its path", "InstallationError")
  }
  old <- suppressWarnings(system2(python, c("-c", shQuote("import sys; sys.exit(sys.version_info < (3, 11))"))))
  if (old != 0) {
    refuse(paste(python, "is not a Python of version 3.11 or later"), "InstallationError")
  }
  directory <- environment_directory()
  if (dir.exists(directory) && ask && !isTRUE(utils::askYesNo(paste("Replace", directory, "?")))) {
    return(invisible(environment_python()))
  }
  run(python, c("-m", "venv", "--clear", shQuote(directory)))
  message("Installing ", paste(python_packages(), collapse = ", "), " into ", directory)
  run(environment_python(), c("-m", "pip", "install", "--quiet", shQuote(python_packages())))
  invisible(environment_python())
}

#' What matbn runs on
#'
#' Says which R, Python, NumPy, rpy2 and reticulate are in use, and where they are. It does not start Python: before the
#' first call of another function, it tells which Python is set to be used.
#'
#' @return A list of class `matbn_config`, which prints as a table.
#' @examples
#' matbn_config()
#' @export
matbn_config <- function() {
  config <- list(
    R = as.character(getRversion()),
    reticulate = as.character(utils::packageVersion("reticulate")),
    matbn = as.character(utils::packageVersion("matbn")),
    environment = if (file.exists(environment_python())) environment_directory() else "none (matbn_install() makes it)",
    RETICULATE_PYTHON = Sys.getenv("RETICULATE_PYTHON", "not set"),
    needs = paste(python_packages(), collapse = ", ")
  )
  if (!is.null(session$functions)) {
    running <- bridge_call("versions")
    config <- c(config, list(
      Python = running$python, `Python at` = running$executable, NumPy = running$numpy, SciPy = running$scipy,
      `rpy2-rinterface` = running[["rpy2-rinterface"]], `matbn's Python at` = running$path
    ))
  } else {
    config$Python <- "not started yet"
  }
  structure(config, class = "matbn_config")
}

#' @export
print.matbn_config <- function(x, ...) {
  nothing_more("print() of a configuration", ..., .let = of_print)
  cat(sprintf("%-18s %s\n", names(x), unlist(x)), sep = "")
  invisible(x)
}

environment_directory <- function() file.path(tools::R_user_dir("matbn", "data"), "python")

environment_python <- function() file.path(environment_directory(), "bin", "python")

run <- function(command, arguments) {
  # R puts its own directories before Python's in LD_LIBRARY_PATH, where Python may find another OpenSSL than its own.
  status <- system2(command, arguments, env = "LD_LIBRARY_PATH=")
  if (status != 0) {
    refuse(
      paste0("'", paste(c(command, arguments), collapse = " "), "' failed; what it printed stands above"),
      "InstallationError",
      call = NULL
    )
  }
}
