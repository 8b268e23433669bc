# Valid calls of every exported function and method, and what they need. All arguments have names, so that each can be replaced.

cars <- transform(mtcars, f = factor(cyl), day = as.Date("2020-01-01") + seq_len(32), name = rownames(mtcars))
fit <- matbn(mpg ~ qsec + f + net(wt, hp, size = 2) | am, cars, starts = 1, seed = 1, penalty = 1e-2)
plain <- matbn(mpg ~ wt, cars)
weighted <- matbn(mpg ~ wt + net(hp, size = 1), cars, weights = qsec, starts = 1, seed = 1, penalty = 1e-2)
X <- as.matrix(mtcars[c("wt", "hp", "qsec")])
arrays <- matbn(X, mtcars$mpg, size = 2, linear = mtcars$drat, effects = mtcars$cyl, starts = 1, seed = 1, penalty = 1e-2)
set.seed(1)
net <- list(Gamma1 = matrix(rnorm(6), 3), gamma = c(1, 2), beta = c(0, 1), Gamma2 = c(1, -1))
gradient <- net_gradient(X, mtcars$mpg, net$Gamma1, net$gamma, net$beta, net$Gamma2, "tanh")
layer <- bn_forward(X, 1:3, 1:3)
draws <- bootstrap(fit, replicates = 4, seed = 1)
choice <- choose_fit(fit, penalties = c(0.01, 0.1), starts = 1, folds = 2, seed = 1)
validation <- cross_validate(fit, starts = 1, folds = 2, seed = 1)
dependence <- partial_dependence(fit, "wt", at = 2:3)
long <- summary(fit)
quick <- TRUE

calls <- as.list(expression(
  vec(A = X), unvec(v = 1:6, m = 2, n = 3), commutation(m = 2, n = 3),
  bn_forward(Z = X, gamma = 1:3, beta = 1:3, ddof = 1, eps = 0, layout = "rows"),
  bn_backward(dY = X, cache = layer$cache), bn_jacobian(z = 1:5, gamma = 1, ddof = 1, eps = 0),
  net_gradient(X = X, y = cars$mpg, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, activation = "tanh", ddof = 1, eps = 0, route = "matrix"),
  net_loss(X = X, y = cars$mpg, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, activation = "relu", ddof = 1, eps = 0),
  net_forward(X = X, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, activation = "gelu", ddof = 0, eps = 0.1),
  net_jacobian(X = X, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, activation = "sine", ddof = 1, eps = 0),
  net_hessian_product(X = X, y = cars$mpg, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, direction = rep(1, 12), activation = "softplus", ddof = 1, eps = 0),
  fold(X = X, Gamma1 = net$Gamma1, gamma = net$gamma, beta = net$beta, Gamma2 = net$Gamma2, ddof = 1, eps = 0),
  check_gradient(f = function(x) sum(x^2), gradient = function(x) 2 * x, at = 1:3, directions = 2, seed = 1),
  check_gradient(f = function(A, b) sum(A %*% b), gradient = list(A = diag(2), b = 1:2), at = list(A = diag(2), b = 1:2), directions = 2, seed = 1),
  forum_checks(seed = 1, N = 10, p1 = 7, p2 = 4), claims(seed = 1), matbn_config(),
  matbn(mpg ~ qsec + net(wt, size = 1), data = cars, weights = NULL, subset = NULL, na.action = na.omit, activation = "tanh", penalty = 1e-2, linear_penalty = 0, solver = "profiled", starts = 1, seed = 1, tolerance = 1e-6, iterations = 20, intercept = TRUE, tol = 1e-7, progress = FALSE, contrasts.arg = NULL),
  matbn(x = X, y = cars$mpg, size = 1, linear = cars$drat, effects = cars$cyl, weights = NULL, basis = NULL, mask = NULL, activation = "tanh", penalty = 1e-2, linear_penalty = 0, solver = "profiled", starts = 1, seed = 1, tolerance = 1e-6, iterations = 20, intercept = TRUE, tol = 1e-7, progress = FALSE),
  matbn(formula = mpg ~ wt | f, data = cars, weights = qsec, subset = am == 1),
  predict(fit, newdata = cars[1:3, ], se.fit = TRUE, interval = "confidence", level = 0.9, vcov = "iid", correction = "sandwich", unseen = "zero", outcomes = NULL, na.action = na.pass, linear = NULL, effects = NULL),
  predict(fit, newdata = cars[1:3, ], unseen = "estimate", outcomes = 1:3),
  predict(arrays, newdata = X[1:3, ], linear = 1:3, effects = c(4, 6, 8), se.fit = TRUE, unseen = "average"),
  coef(fit, part = "all", complete = TRUE), update(plain, formula. = . ~ . + hp, evaluate = TRUE, weights = qsec), nobs(fit), formula(fit),
  fitted(fit), residuals(fit), weights(weighted), print(fit, digits = 3), summary(fit, vcov = "HC1", correction = "none"), print(long, digits = 3),
  vcov(fit, vcov = ~am, part = "all", correction = "fixest", complete = TRUE),
  confint(fit, parm = "qsec", level = 0.9, vcov = "HC3", part = "linear", correction = "sandwich"),
  df.residual(fit), deviance(fit), sigma(fit), logLik(fit),
  generics::tidy(fit, conf.int = TRUE, conf.level = 0.9, vcov = "iid", part = "linear", correction = "sandwich"),
  generics::glance(fit), generics::augment(fit, data = cars),
  wald_test(object = fit, variables = "wt", vcov = "iid", correction = "sandwich"),
  anova(plain, weighted, vcov = "iid", correction = "sandwich"), anova(fit, vcov = "HC0", correction = "none"),
  marginal_effects(object = fit, variables = "wt", average = TRUE, vcov = "iid", correction = "sandwich", level = 0.9),
  partial_dependence(object = fit, variable = "hp", at = c(100, 200), vcov = "iid", correction = "sandwich", level = 0.9),
  as_nnet(fit = weighted),
  cross_validate(object = weighted, by = NULL, time = NULL, folds = 2, unseen = "average", starts = 1, seed = 1),
  choose_fit(object = weighted, sizes = 1, penalties = c(0.01, 0.1), criterion = "cv", by = NULL, time = NULL, folds = 2, unseen = "zero", starts = 1, seed = 1),
  bootstrap(object = weighted, statistic = NULL, replicates = 2, by = NULL, seed = 1, progress = FALSE),
  bootstrap(object = plain, statistic = function(fit) coef(fit), replicates = 2, by = ~cyl, seed = 1, progress = FALSE),
  confint(draws, parm = 1, level = 0.9), vcov(draws), print(draws, level = 0.9, digits = 3),
  print(validation, digits = 3), print(choice, digits = 3), print(gradient, digits = 3), print(layer$cache),
  print(claims()), print(forum_checks()), print(check_gradient(function(x) sum(x), function(x) x, 1)), print(matbn_config()),
  plot(fit, which = "effects", variables = "wt", vcov = "iid", correction = "sandwich", level = 0.9), plot(fit, which = c("fitted", "residuals", "trace", "network")),
  plot(draws, parm = 1, level = 0.9), plot(choice), plot(dependence, xlab = "x", ylab = "y", ylim = c(0, 40)),
  plot(gradient, other = gradient, labels = c("one", "other"))
))
