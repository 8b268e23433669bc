# Arguments that a function does not have. Generics force `...` into the signatures of their methods, where R drops without
# a word what is misspelt or meant for another function. Each of our functions with `...` calls nothing_more(), which
# refuses such arguments by name and says what to write instead.

# Refuse what is in `...`. `.what` describes the function that calls this, as in "summary() of a fit"; `.let` names arguments
# of R's own that may pass.
nothing_more <- function(.what, ..., .let = character()) {
  frame <- sys.parent()
  call <- sys.call(frame)
  all <- names(formals(sys.function(frame)))
  takes <- setdiff(all, "...")
  # R completes abbreviated names of arguments that stand before `...`, but what an abbreviation means may change as
  # arguments are added.
  written <- names(call)[-1L]
  for (name in setdiff(written, c("", all, .let))) {
    full <- takes[startsWith(takes, name)]
    if (length(full)) refuse_argument(name, call[[name]], .what, takes, call)
  }
  for (k in seq_len(...length())) {
    name <- name_of_dot(k, ...names())
    if (!name %in% .let) refuse_argument(name, call[[name]], .what, takes, call)
  }
}

# Arguments that print() of a list passes on to the method of each element.
of_print <- c("digits", "quote", "na.print", "print.gap", "right", "max", "width", "useSource")

name_of_dot <- function(k, names) if (is.null(names) || is.na(names[k])) "" else names[k]

refuse_argument <- function(name, given, what, takes, call) {
  more <- setdiff(takes, c("x", "object"))
  known <- if (length(more)) paste0(", which takes ", listed(more, 20L)) else ", which takes nothing more"
  if (!nzchar(name)) {
    refuse(paste0("there are too many arguments without a name for ", what, known), "ArgumentError", call)
  }
  hint <- instead(name, given, what, takes)
  refuse(paste0("'", name, "' is no argument of ", what, if (is.null(hint)) known else hint), "ArgumentError", call)
}

# Names in other packages, under the name that our argument has. Of several that fit, the first that the function takes counts.
habits <- list(
  se.fit = c("se", "se_fit", "std.error"),
  vcov = c("cluster", "clusters", "type", "vcov.", "vcov_type", "robust", "se", "se_type", "vce"),
  level = c("conf.level", "conf_level", "confidence"), conf.level = c("level", "conf_level"), conf.int = c("conf_int", "confint"),
  newdata = c("data", "new_data"), correction = c("ssc", "cadjust", "adjust"),
  penalty = c("decay", "lambda", "alpha"), iterations = c("maxit", "max_iter", "epochs"), size = c("hidden", "units"),
  starts = c("n_init", "restarts"), tolerance = c("abstol", "reltol"), progress = c("trace", "verbose"),
  solver = c("method", "optimizer")
)

# What to write where another function has the argument, or none does: by the function's name, then the argument's.
elsewhere <- list(
  augment = c(
    newdata = "it is about the rows of the fit: predict(fit, newdata) has others",
    se_fit = "predict(fit, se.fit = TRUE) has standard errors"
  ),
  summary = c(digits = "write print(summary(fit), digits = 3)", part = "vcov() and confint() have other parts"),
  predict = c(type = "predictions are always outcomes, so leave it out"),
  residuals = c(type = "residuals are always outcomes less fitted values; augment() has standardised ones"),
  fitted = c(newdata = "predict(fit, newdata) has other rows"),
  anova = c(test = "fits are always compared by F, so leave it out", data = "the fits have their data"),
  matbn = c(
    offset = "write offset(v) in the formula, or take it off y", vcov = "give it to summary(), vcov() or confint()",
    cluster = "give summary(), vcov() or confint() vcov = ~ id", family = "fits are by least squares",
    size = "it belongs into the formula, as in net(z, size = 4)", effects = "in a formula they stand after a bar, as in y ~ x | id",
    linear = "in a formula it is all that is in no net", formula = "write matbn(formula, data)"
  )
)

# The end of a refusal's sentence: what to write instead.
instead <- function(name, given, what, takes) {
  there <- elsewhere[[sub("\\(.*", "", what)]]
  if (name %in% names(there)) return(paste0("; ", there[[name]]))
  meant <- Filter(function(right) right %in% takes && name %in% habits[[right]], names(habits))
  if (length(meant)) return(paste0("; write ", meant[1L], " = ", example_of(meant[1L], name, given)))
  near <- takes[startsWith(takes, name)]
  if (!length(near)) near <- takes[utils::adist(name, takes) <= 2L]
  if (length(near)) paste0("; did you mean ", near[1L], "?")
}

example_of <- function(right, name, given) {
  if (right == "se.fit") return("TRUE")
  shown <- paste(deparse(given), collapse = " ")
  if (right == "vcov") {
    if (is_call(given, "~")) return(shown)
    if (is.character(given) && length(given) == 1L && grepl("^(iid|HC[0-3])$", given)) return(shown)
    return(if (startsWith(name, "cluster")) "~ id" else "\"HC3\", or ~ id for clusters")
  }
  if (is.null(given) || nchar(shown) > 40L) "..." else shown
}
