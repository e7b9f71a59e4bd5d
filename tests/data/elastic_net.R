# How elastic_net_input.csv and elastic_net_r.csv were made: Rscript elastic_net.R in this folder (see elastic_net_session.txt).
suppressMessages(library(glmnet)); options(warn = -1); set.seed(31)
glmnet.control(fdev = 0, devmax = 1)  # no path ends before its last penalty
normal <- function(n, p, digits = 6) round(matrix(rnorm(n * p), n, p), digits)
label <- function(x, ...) { at <- c(..., rep(0, ncol(x) - length(c(...)))); as.integer(x %*% at + rlogis(nrow(x)) > 0) }
plain <- normal(60, 8); ties <- normal(50, 6, 0); wide <- normal(30, 45)
scales <- sweep(normal(40, 5), 2, c(1e-4, 1, 1e3, 1e5, 20), "*"); scales[, 5] <- scales[, 5] + 5000
constant <- cbind(normal(40, 4), 3)[, c(1, 5, 2, 3, 4)]
collinear <- normal(45, 4); collinear <- cbind(collinear, 2 * collinear[, 1], collinear[, 1] + collinear[, 2], -collinear[, 3])
apart <- normal(24, 3); rare <- normal(70, 6); binary <- cbind(normal(55, 3), rbinom(55, 1, .3), rbinom(55, 1, .5))
sets <- list(plain = list(plain, label(plain, 1, -1, .5)), ties = list(ties, label(ties, 1, 1)), wide = list(wide, label(wide, 2, -2)),
             scales = list(scales, label(scales, 8e3, 0, 1e-3)), constant = list(constant, label(constant, 1, 0, -1)),
             collinear = list(collinear, label(collinear, 1, .5, -1)), apart = list(apart, as.integer(apart[, 1] > 0)),
             rare = list(rare, as.integer(rank(-rare[, 2] - rnorm(70)) <= 4)), binary = list(binary, label(binary, 0, 1, 0, 1)))
joined <- function(x) paste(sprintf("%.15g", x), collapse = ";")
input <- out <- NULL
for (name in names(sets)) {
  x <- sets[[name]][[1]]; y <- sets[[name]][[2]]
  input <- rbind(input, data.frame(set = name, is_good = y, values = apply(x, 1, joined)))
  for (alpha in c(0, .1, .5, .9, 1)) {
    if (alpha == 1 && name == "collinear") next  # the lasso has no single solution there
    penalties <- c(.5, .2, .1, .05, .02, .01, .005)
    fit <- glmnet(x, y, family = "binomial", alpha = alpha, lambda = penalties, standardize = TRUE, thresh = 1e-22, maxit = 1e9)
    stopifnot(length(fit$lambda) == length(penalties))
    for (k in seq_along(penalties))
      out <- rbind(out, data.frame(set = name, mixing = alpha, penalty = fit$lambda[k], intercept = sprintf("%.15g", fit$a0[k]),
                                   coefficients = joined(as.numeric(fit$beta[, k]))))
  }
}
write.csv(input, "elastic_net_input.csv", row.names = FALSE, quote = FALSE)
write.csv(out, "elastic_net_r.csv", row.names = FALSE, quote = FALSE)
session <- capture.output(sessionInfo())
writeLines(session[c(1, 2, 3, grep("glmnet", session))], "elastic_net_session.txt")
