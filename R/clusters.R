# The argument `vcov`, as Python takes it: a name such as "HC1", or for each way of clustering a code for every row.
# `~ a + b` has two ways of clustering; `~ a:b` and `~ a^b` have one, whose clusters are the combinations that occur.

errors_wanted <- function(object, vcov) {
  if (is.character(vcov) && length(vcov) == 1L && !is.na(vcov) && validEnc(vcov)) {
    if (!grepl("~", vcov, fixed = TRUE)) return(as.vector(vcov))
    # In Python formulas are written as text, and users may do so here.
    vcov <- as_formula_of(vcov, object)
  }
  if (inherits(vcov, "formula")) return(formula_clusters(object, vcov))
  if (is.list(vcov)) return(listed_clusters(object, vcov))
  hint <- if (is.function(vcov) || is.matrix(vcov)) {
    "; what sandwich's vcovHC computes is \"HC3\" here"
  } else if (is.atomic(vcov) && length(vcov) == length(object$residuals)) {
    "; labels go into a list with a name, as in list(id = labels)"
  }
  refuse(paste0("vcov is of class ", class(vcov)[1L], ", but must be ", errors_known, hint), "ElementTypeError")
}

errors_known <- "\"iid\", \"HC0\" to \"HC3\", or a formula of clusters such as ~ id"

as_formula_of <- function(text, object) {
  parsed <- tryCatch(str2lang(text), error = function(e) NULL)
  if (!is_call(parsed, "~")) refuse(paste0("vcov is '", text, "', but must be ", errors_known), "ArgumentError")
  env <- if (is.null(object$formula)) globalenv() else environment(object$formula)
  if (length(parsed) == 2L) as_formula(parsed[[2L]], env) else structure(parsed, class = "formula", .Environment = env)
}

formula_clusters <- function(object, formula) {
  if (length(formula) != 2L) {
    refuse(paste0("vcov is ", deparse1(formula), ", but clusters stand to the right of ~ alone, as in ~ id"), "ArgumentError")
  }
  ways <- unwrapped(formula[[2L]], "+")
  together <- lapply(ways, function(way) {
    vapply(unwrapped(way, c(":", "^")), function(part) {
      if (!is.name(part)) {
        refuse(
          paste0(
            "vcov has ", deparse1(part), ", which is no name of a variable; write ~ a, ~ a + b for two ways of clustering,",
            " or ~ a:b for their combinations, and put what must be computed first into a column of the data"
          ),
          "ArgumentError"
        )
      }
      as.character(part)
    }, "")
  })
  names(together) <- vapply(together, paste, "", collapse = ":")
  lapply(together, function(names) {
    combined(lapply(names, function(name) cluster_codes(object, name, environment(formula))))
  })
}

# The parts of a term between operators, also within parentheses.
unwrapped <- function(term, operators) {
  if (is_call(term, "(")) return(unwrapped(term[[2L]], operators))
  if (is.call(term) && length(term) == 3L && is.name(term[[1L]]) && as.character(term[[1L]]) %in% operators) {
    return(c(unwrapped(term[[2L]], operators), unwrapped(term[[3L]], operators)))
  }
  list(term)
}

# A code for each combination of groups that occurs.
combined <- function(codes) {
  as.double(Reduce(function(a, b) {
    both <- (as.double(a) - 1) * nlevels(b) + as.double(b)
    factor(match(both, unique(both)))
  }, codes))
}

listed_clusters <- function(object, vcov) {
  if (!length(vcov) || is.null(names(vcov)) || !all(nzchar(names(vcov)))) {
    refuse("vcov is a list without names; name each way of clustering, as in list(id = labels)", "ArgumentError")
  }
  Map(function(labels, name) as.double(label_codes(object, labels, name)), as.list(vcov), names(vcov))
}

cluster_codes <- function(object, name, env = NULL) label_codes(object, cluster_labels(object, name, env), name)

label_codes <- function(object, labels, name) {
  if (inherits(labels, "POSIXlt")) labels <- as.POSIXct(labels)
  if (!is.atomic(labels) || is.null(labels) || !is.null(dim(labels))) {
    refuse(paste0(name, " is of class ", class(labels)[1L], ", but must be a vector of labels"), "ElementTypeError")
  }
  if (length(labels) != length(object$residuals)) {
    refuse(paste0(name, " has ", length(labels), " labels, but the fit ", length(object$residuals), " rows"), "ShapeError")
  }
  if (anyNA(labels)) refuse(paste0(name, " has missing labels"), "NotFiniteError")
  factor(labels)
}

# The labels that a name stands for. The fit holds its fixed effects and the formula's variables; others are looked up in
# the data of the call, in the rows that were fitted, and then as variables where the user has written the formula of
# clusters (`env`) or that of the fit.
cluster_labels <- function(object, name, env) {
  at <- match(name, names(object$effects))
  if (!is.na(at)) return(object$model$effects[[at]])
  if (name %in% names(object$data)) return(object$data[[name]])
  of_fit <- if (is.null(object$formula)) globalenv() else environment(object$formula)
  data <- if (is.null(object$call$data)) NULL else tryCatch(eval(object$call$data, of_fit), error = function(e) NULL)
  if (is.data.frame(data) && name %in% names(data)) {
    rows <- match(names(object$residuals), rownames(data))
    if (anyNA(rows)) refuse(paste0("the data of the fit have changed, so that ", name, " cannot be found"), "ArgumentError")
    return(data[[name]][rows])
  }
  for (place in c(env, of_fit)) {
    labels <- get0(name, envir = place, inherits = TRUE)
    if (!is.null(labels) && !is.function(labels)) return(labels)
  }
  refuse(paste0(name, " is neither an effect nor a column of the fit's data"), "ArgumentError")
}
