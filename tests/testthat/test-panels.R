# Coefficients on real panels against those that plm and lm found: as written in tests/fixtures by r_scripts/golden/panels.R,
# and as found now.
fixture <- function(name) {
  file <- file.path("..", "fixtures", name)
  skip_if_not(file.exists(file), "the fixtures are in the repository alone")
  read.csv(file)
}

coefficients_of <- function(data, formula, effect, weights) {
  whole <- as.formula(paste(formula, if (nzchar(effect)) paste("|", effect)))
  data$w <- if (nzchar(weights)) data[[weights]] else 1
  if (nzchar(weights)) coef(matbn(whole, data, weights = w)) else coef(matbn(whole, data))
}

test_that("coefficients are those of plm and lm in the fixtures", {
  needs_python()
  references <- fixture("panels.csv")
  references[is.na(references)] <- ""
  for (case in split(references, references[c("dataset", "effect", "weights")], drop = TRUE)) {
    found <- coefficients_of(fixture(paste0(case$dataset[1], ".csv")), case$formula[1], case$effect[1], case$weights[1])
    info <- paste(case$dataset[1], case$effect[1], case$weights[1])
    expect_equal(found, stats::setNames(case$value, case$name), tolerance = 1e-8, info = info)
  }
})
