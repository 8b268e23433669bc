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
  number(m, "m")
  number(n, "n")
  if (isTRUE(abs(m * n) > 3e4)) {
    refuse(
      paste0(
        "the commutation matrix would have ", format(m * n), " rows and columns, and take ", format(8e-9 * (m * n)^2, digits = 2L),
        " GB; for a matrix of this size, t() does what it says"
      ),
      "ArgumentError", sys.call()
    )
  }
  order <- bridge_call("commutation_order", number(m, "m"), number(n, "n")) + 1
  K <- matrix(0, length(order), length(order))
  K[cbind(seq_along(order), order)] <- 1
  K
}
