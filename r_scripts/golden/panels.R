# Writes three panels of R's package plm and reference coefficients of fixed-effects regressions on them:
#
#   Rscript r_scripts/golden/panels.R       # from the repository's root; writes into tests/fixtures/
#
# produc.csv (Munnell 1990), grunfeld.csv (Grunfeld 1958) and emplUK.csv (Arellano and Bond 1991; unbalanced) hold the
# columns that the formulas use. panels.csv has a row for each coefficient: dataset, formula, what stands after the bar,
# the column of weights, name, value. Unweighted fits with effects are plm's within estimator, the others lm's, with a
# factor for each effect. plm and lm must agree before anything is written.

suppressMessages(library(plm))

panels <- list(
  produc = list(
    data = "Produc", columns = c("state", "year", "pcap", "pc", "emp", "unemp", "gsp"), index = c("state", "year"),
    formula = log(gsp) ~ log(pcap) + log(pc) + log(emp) + unemp, weights = "emp"
  ),
  grunfeld = list(
    data = "Grunfeld", columns = c("firm", "year", "inv", "value", "capital"), index = c("firm", "year"),
    formula = inv ~ value + capital, weights = "value"
  ),
  emplUK = list(
    data = "EmplUK", columns = c("firm", "year", "emp", "wage", "capital"), index = c("firm", "year"),
    formula = log(emp) ~ log(wage) + log(capital), weights = "wage"
  )
)

# The shortest text that reads back as the same double.
digits <- function(x) {
  if (!is.numeric(x)) return(as.character(x))
  written <- formatC(x, digits = 17, format = "g", width = 1)
  for (d in 16:1) {
    shorter <- formatC(x, digits = d, format = "g", width = 1)
    same <- as.numeric(shorter) == x & nchar(shorter) <= nchar(written)
    written[same] <- shorter[same]
  }
  written
}

write <- function(table, name) {
  lines <- do.call(paste, c(lapply(table, digits), sep = ","))
  writeLines(c(paste(names(table), collapse = ","), lines), file.path("tests", "fixtures", name))
}

by_lm <- function(panel, data, effects, weights) {
  dummies <- sprintf("factor(%s)", effects)
  formula <- if (length(dummies)) update(panel$formula, reformulate(c(".", dummies))) else panel$formula
  data$w <- if (is.null(weights)) 1 else data[[weights]]
  found <- coef(lm(formula, data, weights = w, tol = 1e-12))
  if (length(effects)) found[attr(terms(panel$formula), "term.labels")] else found
}

by_plm <- function(panel, data, effects) {
  which <- if (length(effects) == 2L) "twoways" else if (effects == panel$index[1L]) "individual" else "time"
  coef(plm(panel$formula, data, index = panel$index, model = "within", effect = which))
}

references <- function(name, panel, data) {
  rows <- list()
  for (effects in list(character(), panel$index[1L], panel$index[2L], panel$index)) {
    for (weights in list(NULL, panel$weights)) {
      values <- by_lm(panel, data, effects, weights)
      if (length(effects) && is.null(weights)) {
        within <- by_plm(panel, data, effects)
        stopifnot(identical(names(within), names(values)), all.equal(within, values, tolerance = 1e-9))
        values <- within
      }
      rows[[length(rows) + 1L]] <- data.frame(
        dataset = name, formula = deparse1(panel$formula), effect = paste(effects, collapse = " + "),
        weights = if (is.null(weights)) "" else weights, name = names(values), value = unname(values)
      )
    }
  }
  do.call(rbind, rows)
}

found <- list()
for (name in names(panels)) {
  panel <- panels[[name]]
  space <- new.env()
  data(list = panel$data, package = "plm", envir = space)
  data <- as.data.frame(space[[panel$data]])[panel$columns]
  write(data, paste0(name, ".csv"))
  found[[name]] <- references(name, panel, data)
}
write(do.call(rbind, found), "panels.csv")
