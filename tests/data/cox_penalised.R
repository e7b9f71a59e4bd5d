# How cox_penalised_r.csv was made: Rscript cox_penalised.R in this folder, after cox.R (versions: cox_session.txt).
library(survival)
options(warn = -1)
d <- read.csv("cox_input.csv"); out <- NULL
say <- function(set, what, of, value) out <<- rbind(out, data.frame(set = set, what = what, of = of, value = sprintf("%.17g", value)))
# Firth: log-likelihood plus half the log determinant of the information, at coefficients that are given; its maximum by optim.
for (set in c("plain", "ties", "zeros", "onesided", "missing", "few", "small", "empty")) {
  x <- na.omit(d[d$set == set, ]); k <- if (set == "empty") c("a", "b") else c("a", "b", "c"); z <- scale(x[k]); size <- attr(z, "scaled:scale"); x[k] <- z
  X <- as.matrix(x[k]); y <- Surv(x$days, x$event); still <- coxph.control(iter.max = 0, toler.chol = 1e-14)
  at <- function(beta) {
    m <- coxph.fit(X, y, NULL, NULL, beta, still, rep(1, nrow(X)), "efron", NULL, resid = FALSE)  # what coxph(init = beta, iter.max = 0) calls
    -(m$loglik[1] - .5 * determinant(m$var)$modulus[1])                       # log det of the information is -log det of its inverse
  }
  best <- function(f, start) { for (i in 1:2) { o <- optim(start, f, method = "BFGS", control = list(reltol = 1e-16, maxit = 500, ndeps = rep(1e-4, length(start)))); start <- o$par }; o }
  top <- best(at, rep(0, length(k)))
  error <- sqrt(diag(suppressWarnings(coxph(reformulate(k, "Surv(days, event)"), x, init = top$par, control = coxph.control(iter.max = 0)))$var))
  say(set, "penalised_log_likelihood", "", -top$value)
  for (j in seq_along(k)) {
    lost <- function(v) 2 * (best(function(o) { beta <- top$par; beta[j] <- v; beta[-j] <- o; at(beta) }, top$par[-j])$value - top$value)
    edge <- function(to) uniroot(function(v) lost(v) - qchisq(.95, 1), c(top$par[j], to), tol = 1e-10)$root
    say(set, "penalised_coefficient", k[j], top$par[j] / size[j]); say(set, "penalised_standard_error", k[j], error[j] / size[j])
    say(set, "penalised_lower", k[j], edge(top$par[j] - 12 * error[j]) / size[j]); say(set, "penalised_upper", k[j], edge(top$par[j] + 12 * error[j]) / size[j])
    say(set, "penalised_p_value", k[j], pchisq(lost(0), 1, lower.tail = FALSE))
  }
}
write.csv(out, "cox_penalised_r.csv", row.names = FALSE, quote = FALSE)
