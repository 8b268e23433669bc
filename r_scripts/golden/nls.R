# Writes the estimates of R's nls for one tanh node, an intercept and a linear term, with their covariances:
#
#   Rscript r_scripts/golden/nls.R       # from the repository's root; writes tests/fixtures/nls_data.csv and nls.csv
#
# nls.csv has a row for each pair of parameters (estimates where the second is empty).
set.seed(1)
data <- data.frame(z = round(rnorm(120), 3), x = round(rnorm(120), 3))
data$y <- round(1 + 0.5 * data$x + 2 * tanh(1.5 * data$z - 0.4) + rnorm(120) / 5, 4)
fit <- nls(
  y ~ b0 + bx * x + g * tanh(a * z + c), data, start = list(b0 = 1, bx = 0.5, g = 2, a = 1.5, c = -0.4),
  control = nls.control(tol = 1e-7)
)
names <- c(b0 = "(Intercept)", bx = "x", g = "Gamma2[1]", a = "A[z,1]", c = "c[1]")
V <- vcov(fit)
pairs <- expand.grid(first = names(names), second = names(names), stringsAsFactors = FALSE)
estimates <- data.frame(first = names, second = "", value = sprintf("%.17g", coef(fit)[names(names)]))
pairs <- data.frame(
  first = names[pairs$first], second = names[pairs$second], value = sprintf("%.17g", V[as.matrix(pairs)])
)
# Names contain commas, so semicolons separate the columns.
write.table(rbind(estimates, pairs), "tests/fixtures/nls.csv", sep = ";", row.names = FALSE, quote = FALSE)
write.csv(data, "tests/fixtures/nls_data.csv", row.names = FALSE)
