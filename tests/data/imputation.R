# How imputation_*.csv and imputation_session.txt were made: Rscript imputation.R in this folder (versions: imputation_session.txt).
# Multiple imputation by R's mice. imputation_input.csv: sets of patients with ties, zeros and values missing at random given the
# score and the event. imputation_sets.csv.gz: data sets that mice completed. imputation_r.csv: what R makes of all of it.
suppressMessages({library(survival); library(mice); library(MASS)})
set.seed(37)
out <- NULL
say <- function(set, what, of, value) out <<- rbind(out, data.frame(set = set, what = what, of = as.character(of), value = sprintf("%.17g", value)))
make <- function(set, n, yearly) {
  age <- rnorm(n, 60, 10); er <- rbinom(n, 1, plogis((age - 55) / 12)); stage <- cut(.05 * (age - 60) + rlogis(n), c(-Inf, -1, .5, 1.8, Inf), labels = FALSE)
  score <- .4 * er + rnorm(n); t <- rexp(n, exp(.5 * score - .7 * er + .03 * (age - 60) + .2 * (stage - 2)) / 1500); end <- runif(n, 200, 3650)
  days <- ceiling(pmin(t, end)); event <- as.integer(t <= end)
  if (yearly) days <- floor(days / 365) * 365                                # heavy ties, and days 0
  gone <- function(v, low) ifelse(runif(n) < plogis(low + .5 * score + .4 * event), NA, v)
  data.frame(set = set, days = days, event = event, score = score, age = gone(age, -1.6), er = gone(er, -1.1), stage = gone(stage, -1.4))
}
sets <- list(plain = make("plain", 400, FALSE), ties = make("ties", 250, TRUE), small = make("small", 60, FALSE), empty = transform(make("empty", 80, TRUE), er = NA, event = 0))
write.csv(format(do.call(rbind, sets), digits = 17, trim = TRUE), "imputation_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("imputation_input.csv")

# The cumulative hazard at each patient's time.
for (set in names(sets)[1:3]) { x <- d[d$set == set, ]; h <- nelsonaalen(x, days, event); for (i in seq_along(h)) say(set, "hazard", i, h[i]) }

# Rubin's rules: mice's own data sets, a Cox model of each, pool().
filled <- NULL; m <- 7
strict <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)
for (set in c("plain", "ties", "small")) {
  x <- d[d$set == set, ]; x$hazard <- nelsonaalen(x, days, event); x$er <- factor(x$er)
  how <- make.method(x); how["er"] <- "logreg"; how["age"] <- "pmm"; how["stage"] <- "pmm"
  who <- make.predictorMatrix(x); who[, c("set", "days")] <- 0
  imp <- mice(x, m = m, method = how, predictorMatrix = who, maxit = 5, printFlag = FALSE, seed = 5)
  for (i in 1:m) { f <- complete(imp, i); filled <- rbind(filled, data.frame(set = set, number = i, days = f$days, event = f$event, score = f$score, age = f$age, er = as.integer(as.character(f$er)), stage = f$stage)) }
  y <- split(filled[filled$set == set, ], filled$number[filled$set == set])
  fits <- lapply(y, function(f) coxph(Surv(days, event) ~ score + age + er + stage, f, ties = "efron", control = strict))
  p <- summary(pool(as.mira(fits)), type = "all", conf.int = TRUE)
  for (j in seq_len(nrow(p))) for (what in c("estimate", "std.error", "df", "fmi", "p.value", "2.5 %", "97.5 %", "dfcom")) say(set, what, p$term[j], p[j, what])
}
write.csv(format(filled, digits = 17, trim = TRUE), gzfile("imputation_sets.csv.gz"), row.names = FALSE, quote = FALSE)
# The same rules for estimates that do not differ, and for two data sets that differ much.
for (case in list(list("same", rep(.3, 4), rep(.2, 4), 30), list("apart", c(-1, 2), c(.2, .3), 12))) {
  s <- pool.scalar(case[[2]], case[[3]]^2, n = case[[4]] + 1, k = 1)
  say(case[[1]], "estimate", "", s$qbar); say(case[[1]], "std.error", "", sqrt(s$t)); say(case[[1]], "df", "", s$df); say(case[[1]], "fmi", "", s$fmi)
}

# The models that classes are drawn from, with mice's pseudo-observations: logistic by glm.fit, proportional odds by polr.
aug <- getFromNamespace("augment", "mice")
for (set in c("plain", "ties", "small")) {
  x <- d[d$set == set & !is.na(d$age), ]; p <- scale(cbind(x$score, x$event, x$age)); p <- p * sqrt(nrow(p) / (nrow(p) - 1))
  a <- aug(x$er, !is.na(x$er), p, is.na(x$er)); k <- a$ry; z <- as.matrix(a$x)[k, ]
  g <- glm.fit(cbind(1, z), a$y[k], a$w[k], family = quasibinomial(), control = list(epsilon = 1e-15, maxit = 100)); u <- g$fitted.values; v <- solve(crossprod(cbind(1, z) * sqrt(a$w[k] * u * (1 - u))))  # at the last fit; summary.glm has it one step before
  for (i in 1:4) { say(set, "logistic", i, coef(g)[i]); for (j in 1:4) say(set, "logistic_covariance", paste(i, j), v[i, j]) }
  a <- aug(factor(x$stage), !is.na(x$stage), p, is.na(x$stage)); k <- a$ry; z <- as.matrix(a$x)[k, ]; f <- data.frame(y = factor(a$y[k], ordered = TRUE), z1 = z[, 1], z2 = z[, 2], z3 = z[, 3], w = a$w[k])
  o <- suppressWarnings(polr(y ~ z1 + z2 + z3, f, weights = w, Hess = TRUE, control = list(reltol = 1e-18, maxit = 1000)))
  for (i in seq_along(o$zeta)) say(set, "threshold", i, o$zeta[i]); for (i in 1:3) say(set, "slope", i, coef(o)[i])
  v <- vcov(o); for (i in 1:3) say(set, "slope_variance", i, v[i, i])
}

# Whom predictive mean matching takes values of: every donor that mice's matchindex gives in 4,000 calls, and those that order() gives.
match5 <- getFromNamespace("matchindex", "mice")
fitted <- c(round(rnorm(40, 0, 1), 2), rnorm(10, 3, .5)); wanted <- c(-4, -.501, 0.003, .777, 2.9, 9)
for (i in seq_along(fitted)) say("donors", "fitted", i, fitted[i])
for (i in seq_along(wanted)) {
  say("donors", "wanted", i, wanted[i])
  mine <- sort(order(abs(fitted - wanted[i]))[1:5]); seen <- sort(unique(match5(fitted, rep(wanted[i], 4000), 5L)))
  say("donors", "n_seen", i, length(seen))
  for (j in seen) say("donors", "seen", i, j); for (j in mine) say("donors", "nearest", i, j)
}

# Many data sets: what mice makes of "plain" with 200, beside which ours must lie; the models of imputation are the same.
x <- d[d$set == "plain", ]; x$hazard <- nelsonaalen(x, days, event); x$er <- factor(x$er)
how <- make.method(x); how["er"] <- "logreg"; how["age"] <- "pmm"; how["stage"] <- "pmm"
who <- make.predictorMatrix(x); who[, c("set", "days")] <- 0
imp <- mice(x, m = 200, method = how, predictorMatrix = who, maxit = 10, printFlag = FALSE, seed = 11)
p <- summary(pool(with(imp, coxph(Surv(days, event) ~ score + age + er + stage, ties = "efron"))), type = "all")
for (j in seq_len(nrow(p))) { t <- sub("er1", "er", p$term[j]); for (what in c("estimate", "std.error", "b", "ubar", "fmi")) say("many", what, t, p[j, what]) }
write.csv(out, "imputation_r.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("mice", packageVersion("mice")), paste("survival", packageVersion("survival")), paste("MASS", packageVersion("MASS")), extSoftVersion()["BLAS"], La_version()), "imputation_session.txt")
