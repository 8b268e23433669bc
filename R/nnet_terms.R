# The terms object that makes nnet's inputs from a data frame. It is put together column by column from the terms of the
# linear part and of the nets: in one formula of everything, R would code factors anew, depending on the other terms.

formula_columns <- function(fit) {
  effects <- Filter(function(estimates) length(estimates) > 1L, fit$effects)
  dummies <- vapply(names(effects), function(name) deparse1(call("factor", as.name(name))), "")
  pieces <- list(matrix = list(), keys = character(), names = character(), ends = 0L)
  all <- kept_variables(fit, names(effects))
  parts <- list()
  linear <- linear_names(fit)
  pieces <- add_terms(pieces, fit$linear, linear, all)
  parts$linear <- pieces$at
  for (k in seq_along(fit$nets)) {
    pieces <- add_terms(pieces, fit$nets[[k]], rownames(fit$nets[[k]]$Gamma1), all)
    parts$nets[[k]] <- pieces$at
  }
  for (name in names(effects)) {
    variable <- dummies[[name]]
    pieces <- add_piece(pieces, stats::setNames(2L, variable), paste0(variable, names(effects[[name]])), all$names)
    parts$effects[[name]] <- pieces$at
  }
  xlevels <- fit$frame$xlevels[intersect(names(fit$frame$xlevels), all$names)]
  xlevels <- c(xlevels, stats::setNames(lapply(effects, names), dummies))
  contrasts <- merged(c(list(fit$linear$contrasts), lapply(fit$nets, `[[`, "contrasts")))
  c(parts, list(
    names = pieces$names,
    formula = list(
      terms = terms_of(fit, all, pieces), coefnames = pieces$names, xlevels = xlevels[!duplicated(names(xlevels))],
      contrasts = if (length(contrasts)) contrasts
    )
  ))
}

# The model frame's variables that nets and linear part use, and a factor for each fixed effect.
kept_variables <- function(fit, effects) {
  terms <- fit$frame$terms
  names <- variable_names(terms)
  parts <- c(list(fit$linear), fit$nets)
  used <- names %in% unlist(lapply(parts, function(part) used_variables(part$terms)))
  dummies <- lapply(effects, function(name) call("factor", as.name(name)))
  dummy_names <- vapply(dummies, deparse1, "")
  new <- !dummy_names %in% names[used]
  list(
    variables = c(as.list(attr(terms, "variables"))[-1L][used], dummies[new]),
    predvars = c(as.list(attr(terms, "predvars"))[-1L][used], dummies[new]),
    classes = c(attr(terms, "dataClasses")[names[used]], stats::setNames(rep("factor", sum(new)), dummy_names[new])),
    names = c(names[used], dummy_names[new])
  )
}

# Add a part's terms; `at` then says where each of its columns stands.
add_terms <- function(pieces, part, column_names, all) {
  several <- all$names[all$classes[all$names] != "numeric"] # variables that may have more than one column
  factors <- attr(part$terms, "factors")
  at <- integer(length(column_names))
  for (k in unique(part$assign)) {
    own <- which(part$assign == k)
    coding <- factors[factors[, k] > 0L, k, drop = TRUE]
    names(coding) <- variable_names(part$terms)[factors[, k] > 0L] # rownames(factors) may have backticks
    if (is.unsorted(match(names(coding), several), na.rm = TRUE)) {
      refuse(
        paste0(
          "the interaction ", paste(names(coding), collapse = ":"),
          " has its variables in another order than the terms before it; write it in theirs"
        ),
        "ArgumentError"
      )
    }
    pieces <- add_piece(pieces, coding, column_names[own], all$names)
    at[own] <- pieces$at
  }
  pieces$at <- at
  pieces
}

# Add a term, unless it is there with the same coding.
add_piece <- function(pieces, coding, column_names, variables) {
  column <- integer(length(variables))
  column[match(names(coding), variables)] <- coding
  key <- paste(column, collapse = ",")
  known <- match(key, pieces$keys)
  if (is.na(known)) {
    pieces$matrix <- c(pieces$matrix, list(column))
    pieces$keys <- c(pieces$keys, key)
    pieces$names <- c(pieces$names, column_names)
    pieces$ends <- c(pieces$ends, length(pieces$names))
    known <- length(pieces$keys)
  }
  pieces$at <- pieces$ends[known] + seq_along(column_names)
  pieces
}

terms_of <- function(fit, all, pieces) {
  labels <- vapply(pieces$matrix, function(column) paste(all$names[column > 0L], collapse = ":"), "")
  outcome <- fit$frame$outcome
  shown <- lapply(unique(pieces$matrix), function(column) {
    Reduce(function(a, b) call(":", a, b), all$variables[column > 0L])
  })
  if (!length(shown)) shown <- list(1)
  formula <- call("~", outcome, Reduce(function(a, b) call("+", a, b), shown))
  factors <- integer()
  if (length(labels)) {
    factors <- rbind(0L, do.call(cbind, pieces$matrix))
    dimnames(factors) <- list(c(deparse1(outcome), all$names), labels)
  }
  structure(
    formula,
    variables = as.call(c(list(quote(list), outcome), all$variables)), factors = factors, term.labels = labels,
    order = vapply(pieces$matrix, function(column) sum(column > 0L), 0L), intercept = 1L, response = 1L,
    class = c("terms", "formula"), .Environment = environment(fit$formula),
    predvars = as.call(c(list(quote(list), outcome), all$predvars)),
    dataClasses = c(stats::setNames("numeric", deparse1(outcome)), all$classes)
  )
}
