# Writes standard errors of regressions on the panels that panels.R has written, by sandwich and plm:
#
#   Rscript r_scripts/golden/covariances.R       # from the repository's root; writes tests/fixtures/covariances.csv
#
# A row for each coefficient: dataset, effect (what stands after the bar), weights, peer, type, cluster, name, value. In
# clusters, `late` is whether a row's year is above the median of years.

suppressMessages({
  library(plm)
  library(sandwich)
})

panels <- list(
  produc = list(formula = log(gsp) ~ log(pcap) + log(pc) + log(emp) + unemp, index = c("state", "year"), weights = "emp"),
  grunfeld = list(formula = inv ~ value + capital, index = c("firm", "year"), weights = "value"),
  emplUK = list(formula = log(emp) ~ log(wage) + log(capital), index = c("firm", "year"), weights = "wage")
)

rows <- list()
add <- function(dataset, effect, weights, peer, type, cluster, V, names) {
  rows[[length(rows) + 1L]] <<- data.frame(
    dataset, effect, weights, peer, type, cluster, name = names, value = sprintf("%.17g", sqrt(diag(V)[names]))
  )
}

for (dataset in names(panels)) {
  panel <- panels[[dataset]]
  data <- read.csv(file.path("tests", "fixtures", paste0(dataset, ".csv")))
  data$late <- data$year > median(data$year)
  slopes <- attr(terms(panel$formula), "term.labels")
  for (effects in list(character(), panel$index[1L], panel$index)) {
    effect <- paste(effects, collapse = " + ")
    for (weights in c("", panel$weights)) {
      dummies <- sprintf("factor(%s)", effects)
      formula <- if (length(dummies)) update(panel$formula, reformulate(c(".", dummies))) else panel$formula
      data$w <- if (nzchar(weights)) data[[weights]] else 1
      # lm gives vcovHC its weights only where there are any.
      fit <- if (nzchar(weights)) lm(formula, data, weights = w) else lm(formula, data)
      add(dataset, effect, weights, "lm", "iid", "", vcov(fit), slopes)
      for (type in paste0("HC", 0:3)) add(dataset, effect, weights, "sandwich", type, "", vcovHC(fit, type = type), slopes)
      late <- paste0(panel$index[1L], ":late")
      data[[late]] <- paste(data[[panel$index[1L]]], data$late) # one variable for the combinations: a single way of clustering
      for (cluster in list(panel$index[1L], panel$index, late, c(late, "year"))) {
        by <- paste(cluster, collapse = " + ")
        clusters <- data[cluster]
        add(dataset, effect, weights, "sandwich", "cluster", by, vcovCL(fit, clusters, type = "HC1"), slopes)
        add(dataset, effect, weights, "sandwich none", "cluster", by, vcovCL(fit, clusters, type = "HC0", cadjust = FALSE), slopes)
      }
    }
  }
  within <- plm(panel$formula, data, index = panel$index, model = "within", effect = "individual")
  by <- panel$index[1L]
  add(dataset, by, "", "plm none", "cluster", by, vcovHC(within, method = "arellano", type = "HC0"), slopes)
  add(dataset, by, "", "plm", "cluster", by, vcovHC(within, method = "arellano", type = "sss"), slopes)
}
found <- do.call(rbind, rows)
write.csv(found, file.path("tests", "fixtures", "covariances.csv"), row.names = FALSE, quote = FALSE)
