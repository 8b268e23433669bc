# Writes R's own random numbers for the tests, as hexadecimal floats that lose nothing.
#
#   Rscript r_scripts/golden/random.R > tests/fixtures/r_random.csv

cat("seed,kind,value\n")
for (seed in c(1L, 0L, -5L, 20181L, .Machine$integer.max)) {
  set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion")
  cat(sprintf("%d,runif,%a\n", seed, runif(700)), sep = "")
  cat(sprintf("%d,rnorm,%a\n", seed, rnorm(700)), sep = "")
}
