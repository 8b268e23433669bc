# Small nets on real longitudinal data that ship with R. The same models in Python, with the same numbers: panels.py.
#
#   Rscript examples/panels.R

library(matbn)

show_fit <- function(fit) {
  cat("\n", deparse1(formula(fit)), "\n", sep = "")
  cat(sprintf("  within R2 %.4f, residual deviation %.4g", fit$within.r.squared, sqrt(mean(residuals(fit)^2))))
  cat(sprintf("; %s, %d starts, losses from %.6g to %.6g\n", fit$searches$status[1], nrow(fit$searches),
    min(fit$searches$loss), max(fit$searches$loss)))
}

# Growth of 50 chicks on four diets, each chick with a level of its own: what the diets do to the curve.
growth <- matbn(weight ~ net(Time, Diet, size = 4) | Chick, ChickWeight, seed = 1)
show_fit(growth)
chicks <- tapply(as.character(ChickWeight$Chick), ChickWeight$Diet, `[`, 1)
ages <- expand.grid(Time = c(0, 21), Diet = levels(ChickWeight$Diet))
ages$Chick <- chicks[ages$Diet]
gain <- tapply(predict(growth, ages), ages$Diet, diff)
cat("  grams gained in 21 days, by diet:", sprintf("%.1f", gain), "\n")
effect <- marginal_effects(growth, "Time", vcov = ~ Chick)
cat(sprintf("  grams a day on average: %.3f, error %.3f, clustered by chick\n", effect$estimate, effect$std.error))
tests <- wald_test(growth, vcov = ~ Chick)
cat(sprintf("  no effect of %s: F %.3g on %d and %d degrees of freedom\n", rownames(tests), tests$F, tests$Df, 49L), sep = "")
left_out <- cross_validate(growth, by = ~ Chick, unseen = "estimate", seed = 1)
cat(sprintf("  chicks left out are predicted, given their level, within %.4g grams\n", left_out$rmse))

# Theophylline in the blood of twelve subjects: up within two hours, down over a day.
blood <- matbn(conc ~ net(Time, size = 4) | Subject, Theoph, seed = 1)
show_fit(blood)
hours <- data.frame(Time = seq(0, 24, 0.5), Subject = "1")
cat("  highest after", hours$Time[which.max(predict(blood, hours))], "hours\n")

# Uptake of carbon dioxide by twelve plants: a curve in concentration that differs by origin and by chilling.
uptake <- matbn(uptake ~ net(log(conc), Type, Treatment, size = 3) | Plant, CO2, seed = 1)
show_fit(uptake)
scores <- choose_fit(uptake, sizes = 1:3, criterion = "bic", seed = 1)$table$score
cat("  BIC with 1, 2 and 3 nodes:", sprintf("%.1f", scores), "\n")
straight <- matbn(uptake ~ log(conc) * Type * Treatment | Plant, CO2)
cat(sprintf("  a straight line in log(conc) for each group has within R2 %.4f\n", straight$within.r.squared))
