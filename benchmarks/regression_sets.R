# The R side of regression_sets.py, which says what is compared and calls this script:
#
#   Rscript benchmarks/regression_sets.R write FOLDER        # every set as SET.csv: y first, then inputs
#   Rscript benchmarks/regression_sets.R fit FOLDER SET      # reads SET.csv and SET.splits.csv
#
# SET.splits.csv has a column for each split, 1 for rows to train on. `fit` writes SET.predictions.csv, a row for each
# system, split and test row, and SET.seconds.csv. Needs r-cran-mass, -mlbench, -plm, -caret, -nnet and -mgcv.

shipped <- function(name, package) {
  space <- new.env()
  data(list = name, package = package, envir = space)
  space[[name]]
}

regression_sets <- function() {
  mass <- function(name) shipped(name, "MASS")
  wages <- shipped("Wages", "plm")
  produc <- shipped("Produc", "plm")
  cars <- mass("Cars93")
  unused <- c("Price", "Min.Price", "Max.Price", "MPG.highway")
  list(
    Boston = list(medv ~ ., mass("Boston")),
    Ozone = list(V4 ~ . - V2 - V3, transform(shipped("Ozone", "mlbench"), V1 = as.numeric(V1))),
    cpus = list(log(perf) ~ . - name - estperf, mass("cpus")),
    UScrime = list(y ~ ., mass("UScrime")),
    Cars93 = list(MPG.city ~ ., cars[vapply(cars, is.numeric, NA) & !names(cars) %in% unused]),
    mcycle = list(accel ~ times, mass("mcycle")),
    birthwt = list(bwt ~ . - low, transform(mass("birthwt"), race = factor(race))),
    Servo = list(Class ~ ., shipped("Servo", "mlbench")),
    Wages = list(lwage ~ ., wages[seq(7, nrow(wages), 7), ]), # 1982, the last of seven years
    Produc = list(log(gsp) ~ log(pcap) + log(pc) + log(emp) + unemp, produc[produc$year == 1986, ]),
    whiteside = list(Gas ~ ., mass("whiteside")),
    GAGurine = list(GAG ~ Age, mass("GAGurine")),
    topo = list(z ~ x + y, mass("topo"))
  )
}

write_sets <- function(folder) {
  sets <- regression_sets()
  for (name in names(sets)) {
    frame <- model.frame(sets[[name]][[1]], sets[[name]][[2]], na.action = na.omit, drop.unused.levels = TRUE)
    X <- model.matrix(attr(frame, "terms"), frame)[, -1, drop = FALSE]
    colnames(X) <- sprintf("x%d", seq_len(ncol(X)))
    write.csv(data.frame(y = model.response(frame), X), file.path(folder, paste0(name, ".csv")), row.names = FALSE)
  }
}

linear_model <- function(X, y, X_test, split) {
  predict(lm(y ~ ., data.frame(X, y = y)), data.frame(X_test))
}

# nnet with caret's own grid of 5 sizes and 5 decays; outcomes are standardised, which nnet needs and caret does not do.
tuned_nnet <- function(X, y, X_test, split) {
  set.seed(split)
  control <- caret::trainControl("cv", 5, allowParallel = FALSE)
  fit <- caret::train(
    X, (y - mean(y)) / sd(y),
    method = "nnet", preProcess = c("center", "scale"), tuneLength = 5, trControl = control,
    linout = TRUE, trace = FALSE, maxit = 500
  )
  mean(y) + sd(y) * predict(fit, X_test)
}

# A smooth term for each input of more than 9 values, as rich as mgcv's default or as the rows allow.
additive_model <- function(X, y, X_test, split) {
  values <- vapply(X, function(x) length(unique(x)), 1L)
  smooth <- values > 9
  for (k in 10:2) {
    if (1 + sum(!smooth) + sum(pmin(k, values[smooth] - 1) - 1) <= nrow(X)) break
  }
  terms <- ifelse(smooth & k > 2, sprintf("s(%s, k = %d)", names(X), pmin(k, values - 1)), names(X))
  fit <- mgcv::gam(reformulate(terms, "y"), data = data.frame(X, y = y), method = "REML")
  drop(predict(fit, X_test))
}

systems <- list("linear model" = linear_model, "nnet by caret" = tuned_nnet, "gam" = additive_model)

fit_set <- function(folder, name) {
  suppressPackageStartupMessages({
    library(caret)
    library(mgcv)
  })
  data <- read.csv(file.path(folder, paste0(name, ".csv")))
  splits <- read.csv(file.path(folder, paste0(name, ".splits.csv")))
  seconds <- setNames(numeric(length(systems)), names(systems))
  predictions <- list()
  for (split in seq_along(splits)) {
    train <- splits[[split]] == 1
    X <- data[-1][vapply(data[train, -1, drop = FALSE], function(x) max(x) > min(x), NA)]
    for (system in names(systems)) {
      started <- proc.time()[["elapsed"]]
      found <- systems[[system]](X[train, , drop = FALSE], data$y[train], X[!train, , drop = FALSE], split)
      seconds[[system]] <- seconds[[system]] + proc.time()[["elapsed"]] - started
      rows <- data.frame(system, split, row = which(!train), prediction = as.numeric(found))
      predictions[[length(predictions) + 1]] <- rows
    }
  }
  write.csv(do.call(rbind, predictions), file.path(folder, paste0(name, ".predictions.csv")), row.names = FALSE)
  seconds <- data.frame(system = names(seconds), seconds = unname(seconds))
  write.csv(seconds, file.path(folder, paste0(name, ".seconds.csv")), row.names = FALSE)
}

arguments <- commandArgs(trailingOnly = TRUE)
if (arguments[1] == "write") write_sets(arguments[2]) else fit_set(arguments[2], arguments[3])
