# A formula y ~ linear + net(z1, z2, size = 8) | id + year, taken apart. The net terms and the effects are matbn's; what
# is left is an ordinary formula, whose variables, factors, contrasts and missing values are R's own business.

take_apart <- function(formula) {
  if (!inherits(formula, "formula") || length(formula) != 3L) {
    refuse("formula must have the form y ~ terms", "ArgumentError", sys.call(-1))
  }
  if (is_call(formula[[2L]], "~")) refuse("formula must have the form y ~ terms, with one ~", "ArgumentError", sys.call(-1))
  if ("." %in% all.vars(formula)) {
    refuse("formula has a dot, which matbn does not expand; name the variables", "ArgumentError", sys.call(-1))
  }
  if (is_call(formula[[3L]], "||")) {
    refuse("formula has ||; fixed effects stand after one |, as in y ~ x | id", "ArgumentError", sys.call(-1))
  }
  right <- formula[[3L]]
  effects <- character()
  if (is_call(right, "|")) {
    effects <- effect_names(right[[3L]])
    right <- right[[2L]]
    if (is_call(right, "|")) {
      refuse("formula has more than one |; after it come the fixed effects, as in | id + year", "ArgumentError", sys.call(-1))
    }
  }
  parts <- summands(right)
  is_net <- vapply(parts, function(part) is_call(part$term, "net"), NA)
  subtracted <- vapply(parts[is_net], function(part) part$sign == "-", NA)
  if (any(subtracted)) refuse("formula subtracts a net, which can only be added", "ArgumentError", sys.call(-1))
  for (k in which(!is_net)) {
    part <- parts[[k]]
    parts[[k]]$term <- plain_term(part$term, k == 1L)
    if (part$sign == "-" && is_call(part$term, "offset")) {
      refuse("formula subtracts an offset; write offset(-v)", "ArgumentError", sys.call(-1))
    }
  }
  linear <- quote(1)
  for (part in parts[!is_net]) linear <- call(part$sign, linear, part$term)
  list(
    outcome = formula[[2L]],
    linear = as_formula(linear, environment(formula)),
    nets = lapply(parts[is_net], function(part) net_call(part$term, environment(formula))),
    effects = effects, environment = environment(formula)
  )
}

# A term of the linear part or of a net's inputs, unless it has a form that means nothing, or not the same in R and Python.
plain_term <- function(term, first = TRUE) {
  shown <- deparse1(term)
  refuse_term <- function(...) refuse(paste0("formula has ", ...), "ArgumentError", NULL)
  if (has_bar(term)) {
    refuse_term(
      shown, ", which is how random effects are written, and matbn has none; fixed effects stand once, ",
      "at the end: y ~ x + net(z, size = 4) | group"
    )
  }
  if (has_net(term)) refuse_term("a net inside of ", shown, "; nets are terms of their own: y ~ x + net(z, size = 4)")
  if (!first && is_call(term, c("+", "-"))) refuse_term("a + or - with nothing beside it, before ", deparse1(term[[2L]]))
  walk <- function(part) {
    if (is.numeric(part) && !part %in% 0:1) {
      refuse_term("a number in ", shown, ", but terms are columns and functions of them; write I(2 * x)")
    }
    if (is_call(part, "^")) {
      if (!is_call(part[[2L]], "(")) {
        refuse_term(shown, ", where a power multiplies a term by itself and changes nothing; write I(x^2) for a square")
      }
      if (!is.numeric(part[[3L]]) || !part[[3L]] %in% 1:9) {
        refuse_term(shown, ", but a power of terms is a whole number from 1 to 9")
      }
      part[[2L]] <- walk(part[[2L]])
    } else if (is_call(part, c("+", "-", "*", "/", ":", "%in%", "("))) {
      part[-1L] <- lapply(as.list(part)[-1L], walk)
    } else if (is_call(part, c("<", ">", "<=", ">=", "==", "!=", "!", "&", "|", "&&", "||", "%%", "%/%", "%*%", "$", "@", "[", "[["))) {
      refuse_term(shown, ", which computes; write it in I(), as in I(x > 0)")
    } else if (is_call(part, "offset") && !identical(part, term)) {
      refuse_term("an offset inside of ", shown, "; offsets are terms of their own: y ~ x + offset(v)")
    } else if (is_call(part, "C") && length(part) == 2L) {
      part[[1L]] <- quote(factor) # the same, but of numbers and text as well
    }
    part
  }
  walk(term)
}

# Return whether lme4's (1 | g) stands in a term, outside of other functions' arguments.
has_bar <- function(term) {
  if (!is.call(term)) return(FALSE)
  if (is_call(term, "(") && (is_call(term[[2L]], "|") || is_call(term[[2L]], "||"))) return(TRUE)
  is_call(term, c("+", "-", "*", "/", ":", "^", "%in%", "(")) && any(vapply(as.list(term)[-1L], has_bar, NA))
}

has_net <- function(term) {
  is.call(term) && (is_call(term, "net") || any(vapply(as.list(term), function(part) !missing_argument(part) && has_net(part), NA)))
}

net_call <- function(term, env) {
  arguments <- as.list(term)[-1L]
  if (any(vapply(arguments, missing_argument, NA))) {
    refuse(paste0(paste(deparse(term), collapse = " "), " has a comma with nothing beside it"), "ArgumentError", NULL)
  }
  named <- if (is.null(names(arguments))) rep(FALSE, length(arguments)) else nzchar(names(arguments))
  label <- paste(deparse(term, width.cutoff = 500L), collapse = " ")
  unknown <- setdiff(names(arguments)[named], c("size", "basis", "mask", "label"))
  if (length(unknown)) {
    refuse(paste0(label, ": '", unknown[1L], "' is no option of a net; there are size, basis, mask, label"), "ArgumentError", NULL)
  }
  twice <- names(arguments)[named][duplicated(names(arguments)[named])]
  if (length(twice)) refuse(paste0(label, " has ", twice[1L], " twice; give it once"), "ArgumentError", NULL)
  arguments[!named] <- lapply(arguments[!named], plain_term)
  if (!any(!named)) refuse(paste0(label, " has no inputs; write net(z1, z2, size = 4)"), "ArgumentError", NULL)
  if (!"size" %in% names(arguments)) {
    refuse(paste0(label, " has no size; write how many nodes it has, as in net(z1, z2, size = 4)"), "ArgumentError", NULL)
  }
  inputs <- Reduce(function(a, b) call("+", a, b), arguments[!named])
  terms <- stats::terms(as_formula(inputs, env))
  if (length(attr(terms, "offset"))) refuse(paste0(label, " has an offset, which belongs outside"), "ArgumentError", NULL)
  if (!length(attr(terms, "term.labels"))) refuse(paste0(label, " has no inputs; write net(z1, z2, size = 4)"), "ArgumentError", NULL)
  options <- lapply(arguments[named], function(value) {
    tryCatch(eval(value, env), error = function(e) refuse(paste0(label, ": ", conditionMessage(e)), "ArgumentError", NULL))
  })
  c(list(inputs = as_formula(inputs, env)), utils::modifyList(list(label = label), options))
}

summands <- function(term, sign = "+") {
  if (is_call(term, "+") && length(term) == 3L) {
    c(summands(term[[2L]], sign), summands(term[[3L]], sign))
  } else if (is_call(term, "-") && length(term) == 3L) {
    c(summands(term[[2L]], sign), summands(term[[3L]], if (sign == "+") "-" else "+"))
  } else if (is_call(term, "(")) {
    if (any(vapply(summands(term[[2L]]), function(part) is_call(part$term, "net"), NA))) {
      summands(term[[2L]], sign)
    } else {
      list(list(sign = sign, term = term))
    }
  } else {
    list(list(sign = sign, term = term))
  }
}

effect_names <- function(term) {
  parts <- summands(term)
  for (part in parts) {
    if (part$sign == "-") {
      refuse(paste0("formula subtracts the fixed effect ", deparse1(part$term), "; leave it out"), "ArgumentError", NULL)
    }
    if (!is.name(part$term)) {
      refuse(paste0("the fixed effect ", deparse(part$term), " is no name of a variable"), "ArgumentError", NULL)
    }
  }
  unique(vapply(parts, function(part) as.character(part$term), ""))
}

# The formula of a fit with changes such as . ~ . + x, in which a dot stands for what was in its place: the outcome, the
# linear part with the nets, or after a bar the effects. Without a bar the effects stay.
changed_formula <- function(old, new) {
  right <- function(side) if (is_call(side, "|")) as.list(side)[2:3] else list(side, NULL)
  was <- right(old[[3L]])
  new <- stats::as.formula(new)
  becomes <- right(new[[length(new)]])
  whole <- call("~", old[[2L]], was[[1L]])
  change <- if (length(new) == 3L) call("~", new[[2L]], becomes[[1L]]) else call("~", quote(.), becomes[[1L]])
  whole <- stats::update.formula(stats::as.formula(whole), stats::as.formula(change))
  effects <- was[[2L]]
  if (!is.null(becomes[[2L]])) {
    effects <- stats::update.formula(
      as_formula(if (is.null(effects)) 1 else effects, baseenv()), as_formula(becomes[[2L]], baseenv())
    )[[2L]]
  }
  if (!is.null(effects) && length(all.vars(effects))) whole[[3L]] <- call("|", whole[[3L]], effects)
  environment(whole) <- environment(old)
  whole
}

# The formula of all variables, for one model frame: rows with a missing value in any of them go together.
all_variables <- function(parts, env) {
  terms <- c(
    list(parts$linear[[2L]]), lapply(parts$nets, function(net) net$inputs[[2L]]), lapply(parts$effects, as.name)
  )
  all <- as_formula(Reduce(function(a, b) call("+", a, b), terms), env)
  all[[3L]] <- all[[2L]]
  all[[2L]] <- parts$outcome
  all
}

is_call <- function(x, names) is.call(x) && is.name(x[[1L]]) && as.character(x[[1L]]) %in% names

as_formula <- function(right, env) {
  formula <- call("~", right)
  class(formula) <- "formula"
  environment(formula) <- env
  formula
}
