#' Check a gradient against derivatives that nobody wrote by hand
#'
#' Measures the derivatives of f along random directions, by the complex step where f takes complex numbers and is
#' analytic, otherwise by central differences, and compares them with a gradient.
#'
#' @param f a function with one number for its value.
#' @param gradient a function of the same arguments that returns the gradient, or its value at `at`.
#' @param at where to check: a vector, matrix or array for `f(A)`, or a named list for `f(a = A, b = B)`; the gradient
#'   then is a list with the same names.
#' @param directions how many random directions for each argument.
#' @param seed the seed that draws them; R's own generator is left alone.
#' @return A list of class `gradient_check`: ok, method, errors (the largest relative error for each argument) and
#'   tolerance.
#' @examples
#' check_gradient(function(x) sum(sin(x)), cos, c(0.3, 1, 2))
#' check_gradient(
#'   function(A, b) sum((A %*% b)^2),
#'   function(A, b) list(A = 2 * A %*% b %*% t(b), b = 2 * t(A) %*% A %*% b),
#'   list(A = matrix(rnorm(6), 2), b = matrix(rnorm(3)))
#' )
#' @export
check_gradient <- function(f, gradient, at, directions = 8, seed = 0) {
  if (!is.function(f)) refuse("f must be a function", "ElementTypeError", call = sys.call())
  as_input <- function(x, name) if (is.list(x) && !is.data.frame(x)) Map(numbers, x, names(x)) else numbers(x, name)
  at <- as_input(at, "at")
  if (is.list(at) && (is.null(names(at)) || !all(nzchar(names(at))))) {
    refuse("at is a list without names: name its parts after the arguments of f", "ArgumentError", call = sys.call())
  }
  gradient <- if (is.function(gradient)) answering(gradient) else as_input(gradient, "gradient")
  out <- bridge_call(
    "check_gradient", answering(f), gradient, at, number(directions, "directions"), number(seed, "seed")
  )
  names(out$errors) <- out$names
  structure(out[c("ok", "method", "errors", "tolerance", "text")], class = "gradient_check")
}

# A function that Python may call with one list of arguments. An error comes back as its message: a jump out of the function
# would pass through Python's frames.
answering <- function(f) {
  force(f)
  function(arguments) {
    tryCatch(
      {
        value <- do.call(f, arguments)
        list(if (is.list(value)) Map(numbers, value, names(value)) else numbers(value, "the function's value"))
      },
      error = function(e) conditionMessage(e)
    )
  }
}

#' @export
print.gradient_check <- function(x, ...) {
  nothing_more("print() of a check", ..., .let = of_print)
  cat(x$text, "\n", sep = "")
  invisible(x)
}
