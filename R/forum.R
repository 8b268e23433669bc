#' The forum question's numeric checks
#'
#' Runs the checks that the question posted, in Python and in this R session, and compares both with the printed
#' figures; printing the result says what each check proves and what it does not. Uses R's random-number generator
#' with `seed`, and leaves its state as it was.
#'
#' @param seed,N,p1,p2 seed and sizes; printed figures exist for the defaults alone. p1 >= p2, as the posted loop needs.
#' @return A list of class `forum_checks`, an element a figure, each with name, printed (NULL for other sizes), python,
#'   r and agrees.
#' @examples
#' checks <- forum_checks()
#' checks$gamma_loop$r
#' all(vapply(checks, function(check) check$agrees, NA))
#' @export
forum_checks <- function(seed = 1, N = 10, p1 = 7, p2 = 4) {
  state <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit(if (!is.null(state)) assign(".Random.seed", state, globalenv()))
  sizes <- list(seed = number(seed, "seed"), N = number(N, "N"), p1 = number(p1, "p1"), p2 = number(p2, "p2"))
  functions <- new.env()
  source(file.path(bundled_python(), "matbn", "forum", "forum_checks.R"), local = functions, encoding = "UTF-8")
  # Python refuses sizes that are wrong or too large, so that R's errors need not be shown.
  drawn <- sizes$p1 * (sizes$N + sizes$p2)
  figures <- if (isTRUE(drawn <= 1e7)) {
    tryCatch(suppressWarnings(do.call(functions$forum_checks, sizes)), error = function(e) NULL)
  }
  out <- bridge_call("forum_checks", sizes$seed, sizes$N, sizes$p1, sizes$p2, figures)
  names(out$checks) <- vapply(out$checks, function(check) check$name, "")
  structure(out$checks, text = out$text, class = "forum_checks")
}

#' Every claimed formula, judged by computation
#'
#' Evaluates each formula that the question, its answers and related posts claim, literally, on random data, beside the
#' exact derivative.
#'
#' @param seed the seed of the random data.
#' @return A data frame of class `matbn_claims`, a claim a row: id, source, statement, difference (the largest relative
#'   difference; NA where the formula does not conform), factor (N where only 1/N is missing), verdict ("right", "right
#'   up to 1/N" or "wrong"), correction and correction_difference. It prints as an account with the corrections.
#' @examples
#' table(claims()$verdict)
#' @export
claims <- function(seed = 1) {
  out <- bridge_call("claims", number(seed, "seed"))
  columns <- lapply(out$columns, function(column) replace(column, is.nan(column), NA))
  structure(as.data.frame(columns), text = out$text, class = c("matbn_claims", "data.frame"))
}

#' @export
print.forum_checks <- function(x, ...) {
  nothing_more("print() of checks", ..., .let = of_print)
  cat(attr(x, "text"), "\n", sep = "")
  invisible(x)
}

#' @export
print.matbn_claims <- function(x, ...) {
  nothing_more("print() of claims", ..., .let = of_print)
  text <- attr(x, "text")
  if (is.null(text)) NextMethod() else cat(text, "\n", sep = "")
  invisible(x)
}

# A selection of claims is a data frame like any other.
#' @export
`[.matbn_claims` <- function(x, ...) {
  selected <- NextMethod()
  attr(selected, "text") <- NULL
  if (is.data.frame(selected)) class(selected) <- "data.frame"
  selected
}
