#' Vectorise a matrix, and back
#'
#' `vec` stacks the columns of a matrix, so that \eqn{vec(AXB) = (B^T \otimes A) vec(X)}; `unvec` undoes it.
#'
#' @param A a matrix, m × n.
#' @param v a vector of mn numbers.
#' @param m,n the matrix's rows and columns.
#' @return `vec`: a vector of mn numbers. `unvec`: an m × n matrix.
#' @examples
#' A <- matrix(1:6, 2)
#' vec(A)
#' identical(unvec(vec(A), 2, 3), A + 0)
#' @export
vec <- function(A) bridge_call("vec", numbers(A, "A"))

#' @rdname vec
#' @export
unvec <- function(v, m, n) bridge_call("unvec", numbers(v, "v"), number(m, "m"), number(n, "n"))

#' The commutation matrix
#'
#' \eqn{K_{mn}} with \eqn{K_{mn} vec(A) = vec(A^T)} for every m × n matrix A.
#'
#' @param m,n the shape of A.
#' @return A matrix, mn × mn, of zeros and ones.
#' @examples
#' A <- matrix(1:6, 2)
#' commutation(2, 3) %*% vec(A)
#' @export
commutation <- function(m, n) {
  rows <- number(m, "m") * number(n, "n")
  if (!is.nan(rows)) { # what is no size Python refuses
    what <- paste0("a commutation matrix, ", format(rows), " x ", format(rows), ",")
    bridge_call("check_memory", what, rows^2, "t() transposes without one")
  }
  order <- bridge_call("commutation_order", as.double(m), as.double(n)) + 1
  K <- matrix(0, length(order), length(order))
  K[cbind(seq_along(order), order)] <- 1
  K
}
