# Draws the pictures of docs/ that are R's, from the guide's models: Rscript docs/figures.R [DIRECTORY]

library(matbn)
directory <- c(commandArgs(trailingOnly = TRUE), "docs/plots")[1L]

picture <- function(name, code, width = 720, height = 340) {
  grDevices::png(file.path(directory, paste0("r-", name, ".png")), width, height, res = 84, type = "cairo")
  on.exit(grDevices::dev.off())
  force(code)
}

d <- transform(ChickWeight, Chick = as.character(Chick))
curve <- matbn(log(weight) ~ Time + Time:Diet + net(Time, size = 2) | Chick, d, seed = 1)
picture("effects", plot(curve, vcov = ~ Chick))
picture("fitted", plot(curve, "fitted"), 400, 380)
picture("residuals", plot(curve, "residuals"))
picture("trace", plot(curve, "trace"), 520)
picture("network", plot(curve, "network"), 640, 300)

set.seed(1)
X <- as.matrix(mtcars[c("wt", "hp", "qsec")])
net <- list(Gamma1 = matrix(rnorm(6), 3), gamma = c(1, 1), beta = c(0, 0), Gamma2 = c(1, -1))
by_route <- function(route) do.call(net_gradient, c(list(X, mtcars$mpg), net, activation = "tanh", route = route))
picture("gradients", plot(by_route("loop"), by_route("matrix")), 720, 420)
picture("bootstrap", plot(bootstrap(curve, by = ~ Chick, replicates = 200, seed = 1)), 720, 480)
picture("choice", plot(choose_fit(curve, penalties = 10^(-6:-1), by = ~ Chick, unseen = "estimate", seed = 1)), 520)
