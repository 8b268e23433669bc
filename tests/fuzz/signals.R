# What signals.py calls at R's prompt, and how it judges what comes back.

library(matbn)
set.seed(3)
N <- 400
frame <- data.frame(matrix(rnorm(4 * N), N))
frame$g <- seq_len(N) %% 20
frame$y <- sin(2 * frame$X1) * frame$X2 + frame$X3 + rnorm(N) / 3
base <- matbn(y ~ X1 + net(X1, X2, X3, X4, size = 4), frame, penalty = 1e-3, starts = 2, seed = 1)
own <- function(fit) c(fit$r.squared, coef(fit)[["X1"]])
kinds <- list(
  list(penalty = "cv", starts = 6), list(penalty = "gcv"), list(penalty = 1e-4, starts = 40),
  list(penalty = 1e-4, solver = "adam", starts = 4)
)
calls <- list(
  fit = function(k) {
    do.call(matbn, c(list(y ~ net(X1, X2, X3, X4, size = 6), frame, seed = 1), kinds[[k %% 4 + 1]]))
  },
  bootstrap = function(k) bootstrap(base, if (k %% 2) own, replicates = if (k %% 2) 100 else 200, seed = 1),
  cross_validate = function(k) cross_validate(base, folds = 20, by = if (k %% 2) ~ g, seed = 1),
  choose = function(k) {
    choose_fit(base, 1:3, c(1e-4, 1e-2), criterion = c("bic", "cv")[k %% 2 + 1], starts = 2, seed = 1)
  }
)

# Whether a result is less than the whole one; what it has must be the same.
less <- list(
  fit = function(result, whole) {
    stopifnot(is.finite(result$fitted.values), result$r.squared > 0)
    if (result$searches$status[1] != "interrupted") return(FALSE)
    stopifnot(!result$converged, grepl("interrupted (when|before)", result$messages[1]))
    TRUE
  },
  bootstrap = function(result, whole) {
    rows <- function(x) apply(x$draws, 1, paste, collapse = " ")
    stopifnot(nrow(result$draws) >= 2, rows(result) %in% rows(whole))
    nrow(result$draws) < nrow(whole$draws)
  },
  cross_validate = function(result, whole) {
    known <- !is.na(result$predictions)
    stopifnot(
      identical(result$predictions[known], whole$predictions[known]), known == (whole$fold %in% result$fold[known])
    )
    !all(known)
  },
  choose = function(result, whole) {
    stopifnot(identical(result$table$score, whole$table$score[seq_len(nrow(result$table))]))
    is.null(result$fit)
  }
)

said <- character()
result <- NULL
wholes <- list()

noting <- function(code) {
  withCallingHandlers(code, matbn_ConvergenceWarning = function(w) {
    said <<- c(said, conditionMessage(w))
    invokeRestart("muffleWarning")
  })
}

judge <- function(name, k) {
  if (is.null(result)) return("interrupt")
  if (!less[[name]](result, wholes[[paste(name, k)]])) return("late")
  stopifnot(length(said) == 1L, grepl("interrupted", said))
  "result"
}
