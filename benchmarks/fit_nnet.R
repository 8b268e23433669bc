# One fit by nnet, which writes its trace to standard output as it goes; the caller takes the time of each line.
#
#   Rscript benchmarks/fit_nnet.R DATA N p SIZE DECAY MAXIT SEED
#
# DATA holds N × p inputs and N outcomes as doubles, column by column.
arguments <- commandArgs(TRUE)
numbers <- as.numeric(arguments[-1L])
N <- numbers[1L]
p <- numbers[2L]
values <- readBin(arguments[1L], "double", N * (p + 1))
X <- matrix(values[seq_len(N * p)], N)
y <- values[N * p + seq_len(N)]
library(nnet)
set.seed(numbers[6L])
cat("start\n")
fit <- nnet(X, y, size = numbers[3L], linout = TRUE, decay = numbers[4L], maxit = numbers[5L], reltol = 1e-12, abstol = 0)
cat("end\n")
cat(sprintf("mean square %.12g\n", mean((fit$fitted.values - y)^2)))
