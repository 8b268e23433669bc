# Checks of arguments, which make of them the double vectors and matrices that Python reads in place.

# Return numbers as doubles. Doubles without a class stay as they are, without a copy; integers and logicals are converted
# (NA stays NA, which Python then refuses by name), and so is a data frame whose columns are all numbers.
numbers <- function(x, name) {
  if (!is.object(x) && (is.double(x) || is.complex(x))) {
    return(x)
  }
  if (is.null(x)) {
    refuse(paste0(name, " is NULL, but must hold numbers"), "ElementTypeError")
  }
  if (is.data.frame(x)) {
    other <- names(x)[!vapply(x, function(column) (is.numeric(column) || is.logical(column)) && !is.factor(column), NA)]
    if (length(other)) {
      refuse(
        paste0(
          name, " has columns that are no numbers (", paste(other, collapse = ", "),
          "): leave them out, or expand them with model.matrix(~ ..., data)"
        ),
        "ElementTypeError"
      )
    }
    x <- as.matrix(x)
  }
  no_integer64(x, name)
  if (is.factor(x)) {
    refuse(paste0(name, " is a factor: expand it with model.matrix(~ ...)"), "ElementTypeError")
  }
  if (!(is.numeric(x) || is.logical(x) || is.complex(x))) {
    refuse(paste0(name, " is of class ", if (is.matrix(x)) typeof(x) else class(x)[1], ", but must hold numbers"), "ElementTypeError")
  }
  shape <- dim(x)
  x <- if (is.complex(x)) as.complex(x) else as.double(x)
  if (!is.null(shape)) dim(x) <- shape
  x
}

# Refuse 64-bit integers of package bit64, whose bits lie in doubles that mean other numbers.
no_integer64 <- function(x, name) {
  if (inherits(x, "integer64")) {
    refuse(paste0(name, " is of class integer64, which R's doubles cannot show: as.double() of package bit64 converts it"), "ElementTypeError")
  }
}

# Return numbers that must be real: where no derivative is taken, an imaginary part has no meaning.
reals <- function(x, name) {
  x <- numbers(x, name)
  if (is.complex(x)) refuse(paste0(name, " is complex, but must be real"), "ElementTypeError")
  x
}

optional <- function(x, name) if (is.null(x)) NULL else numbers(x, name)

number <- function(x, name) {
  if (!(is.numeric(x) && length(x) == 1L) || is.object(x)) {
    refuse(paste0(name, " must be one number"), "ElementTypeError")
  }
  as.double(x)
}

flag <- function(x, name) {
  if (!(isTRUE(x) || isFALSE(x))) refuse(paste0(name, " must be TRUE or FALSE"), "ElementTypeError")
  x
}

text <- function(x, name) {
  if (!(is.character(x) && length(x) == 1L) || is.na(x)) {
    refuse(paste0(name, " must be one string"), "ElementTypeError")
  }
  x
}

# Names of inputs and nodes in results: those of the user's objects.
input_names <- function(X, Gamma1) {
  inputs <- dimnames(X)[[2L]]
  if (is.null(inputs)) dimnames(Gamma1)[[1L]] else inputs
}

node_names <- function(Gamma1) dimnames(Gamma1)[[2L]]

with_names <- function(matrix, rows, columns) {
  if (!is.null(rows) || !is.null(columns)) dimnames(matrix) <- list(rows, columns)
  matrix
}

check_level <- function(level) {
  level <- number(level, "level")
  if (!isTRUE(level > 0 && level < 1)) {
    refuse(paste0("level is ", level, ", but must lie between 0 and 1"), "ArgumentError")
  }
}

as_a_fit <- function(object) {
  if (!inherits(object, "matbn")) {
    refuse(paste0("object is of class ", class(object)[1L], ", but must be a fit by matbn()"), "ElementTypeError")
  }
}

mean_of <- function(x, w) if (is.null(w)) mean(x) else sum(w * x) / sum(w)
