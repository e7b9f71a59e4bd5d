# How cox_input.csv, cox_r.csv and cox_session.txt were made: Rscript cox.R in this folder (versions: cox_session.txt).
# Sets of data with ties, zeros, separation, collinear terms, missing values and an empty group, and what R makes of them.
library(survival)
set.seed(25)
outcome <- function(n, lp, rate = 1 / 1500, last = 3650) {
  t <- rexp(n, rate * exp(lp)); end <- runif(n, 200, last)
  data.frame(days = pmax(1, ceiling(pmin(t, end))), event = as.integer(t <= end))
}
make <- function(set, a, b, c, o) data.frame(set = set, days = o$days, event = o$event, a = a, b = b, c = c)
yearly <- function(o) transform(o, days = ceiling(days / 365) * 365)
n <- 80; sets <- list()
a <- rnorm(n); b <- round(rnorm(n, 60, 12)); c <- rbinom(n, 1, .4)
sets$plain <- make("plain", a, b, c, outcome(n, .6 * a))
sets$ties <- make("ties", a, b, c, yearly(outcome(n, .7 * a + .03 * (b - 60))))
heavy <- outcome(n, .5 * a); heavy$days <- pmin(floor(heavy$days / 1200), 2)
sets$zeros <- make("zeros", a, b, c, heavy)                                  # days 0, 1 and 2: deaths and censoring on each
one <- yearly(outcome(n, .6 * a)); calm <- as.integer(one$event == 0 & runif(n) < .4)
sets$onesided <- make("onesided", a, b, calm, one)                           # nobody with c = 1 dies
o <- outcome(n, .5 * c); o$days <- rank(o$days, ties.method = "first"); s <- pmax(0, 30 - o$days); u <- runif(n)
sets$together <- make("together", u, s / 10 - u, c, o)                       # the earlier, the larger a + b, for the first 30; c stands
sets$missing <- make("missing", replace(a, c(3, 9, 27), NA), replace(b, c(9, 40, 41), NA), c, yearly(outcome(n, -.6 * a)))
sets$empty <- make("empty", a, b, 0, yearly(outcome(n, .6 * a)))             # a group of nobody
sets$follows <- make("follows", a, b, 2 * a - b / 10 + 3, yearly(outcome(n, .6 * a)))  # c follows from a and b
sets$half <- make("half", a, b, 5 - b, yearly(outcome(n, .6 * a)))           # b and c say the same, a stands
sets$nearly <- make("nearly", a, b, b + rnorm(n, 0, 1e-3), outcome(n, .6 * a))
sets$large <- make("large", a * 1e6 + 1e8, b * 1e-6, c, yearly(outcome(n, .6 * a)))
few <- outcome(n, .5 * a, 1 / 20000)
sets$few <- make("few", a, b, c, few)
sets$onetime <- make("onetime", a, b, c, transform(outcome(n, .6 * a), days = ifelse(event == 1, 400, days + 400)))
sets$small <- make("small", a[1:25], b[1:25], c[1:25], yearly(outcome(25, .9 * a[1:25])))
write.csv(format(do.call(rbind, sets), digits = 17, trim = TRUE), "cox_input.csv", row.names = FALSE, quote = FALSE)

d <- read.csv("cox_input.csv")
strict <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)
out <- NULL
say <- function(set, what, of, value) out <<- rbind(out, data.frame(set = set, what = what, of = of, value = sprintf("%.17g", value)))
fits <- list(together = "a + c + strata(round(10 * (a + b)))", plain = "a + b + c", ties = "a + b + c", zeros = "a + b + c", onesided = "a + b + strata(c)", missing = "a + b + c", empty = "a + b",
             follows = "1", half = "a + b", nearly = "a + b + c", large = "a + b + c", few = "a + b", onetime = "a + b", small = "a + b + c")
for (set in names(fits)) {
  x <- d[d$set == set, ]
  m <- coxph(as.formula(paste("Surv(days, event) ~", fits[[set]])), data = x, ties = "efron", control = strict)
  say(set, "log_likelihood", "", tail(m$loglik, 1))
  if (is.null(coef(m))) next
  s <- summary(m)$coef
  for (t in rownames(s)) {
    say(set, "coefficient", t, s[t, "coef"]); say(set, "standard_error", t, s[t, "se(coef)"]); say(set, "p_value", t, s[t, "Pr(>|z|)"])
  }
  if (set == "onetime") next                                                 # g does not vary: cox.zph stops
  if (set == "large") {                                                        # else cox.zph finds its matrix singular; p does not change
    x[c("a", "b", "c")] <- scale(x[c("a", "b", "c")]); m <- coxph(Surv(days, event) ~ a + b + c, data = x, ties = "efron", control = strict)
  }
  z <- cox.zph(m, "km")$table
  for (t in rownames(s)) say(set, "ph_p_value", t, z[t, "p"])
  say(set, "ph_global_p_value", "", z["GLOBAL", "p"])
}
# The model of two terms of which c follows from a and b: its log-likelihood is that of a and b.
say("follows", "log_likelihood", "", coxph(Surv(days, event) ~ a + b, d[d$set == "follows", ], control = strict)$loglik[2])
for (set in c("plain", "ties", "zeros", "missing")) {                                   # survival by a model of a, at three values of a
  m <- coxph(Surv(days, event) ~ a, data = na.omit(d[d$set == set, ]), ties = "efron", control = strict)
  at <- if (set == "zeros") 1 else 1095.75
  s <- summary(survfit(m, newdata = data.frame(a = c(-1, 0, 1.5))), times = at)$surv
  for (i in 1:3) say(set, "survival", i, s[i])
}
write.csv(out, "cox_r.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival")), extSoftVersion()["BLAS"], La_version()), "cox_session.txt")
