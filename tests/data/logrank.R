# How logrank_input.csv, logrank_orders.csv, logrank_r.csv and logrank_session.txt were made: Rscript logrank.R in this folder.
# survdiff of the groups by the median, at each cut-off that leaves a tenth on both sides, and so again for 49 orders of the outcomes:
# in a row of logrank_orders.csv stand the patients (complete cases, from 0) who have the outcomes of those by ascending value.
library(survival); set.seed(41)
make <- function(set, n, days, limit, digits, value = rnorm(n)) {
  t <- rexp(n, exp(.6 * value) / days); c <- runif(n, 0, limit)
  data.frame(set = set, value = round(value, 6), days = round(pmin(t, c), digits), event = as.integer(t <= c))
}
zeros <- make("zeros", 30, 2, 5, 0, round(rnorm(30)))
apart <- make("separation", 26, 900, 3000, 0); apart$event[apart$value >= median(apart$value)] <- 0   # nobody of the upper half dies
missing <- make("missing", 34, 12, 20, 0)
missing$value[c(2, 9)] <- NA; missing$days[c(9, 17)] <- NA; missing$event[30] <- NA
sets <- list(make("plain", 40, 900, 3000, 3), make("ties", 36, 6, 12, 0, round(rnorm(36), 1)), zeros, apart, missing, make("small", 7, 500, 900, 0),
             make("two values", 20, 9, 20, 0, rbinom(20, 1, .4)))
write.csv(do.call(rbind, sets), "logrank_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("logrank_input.csv"); out <- orders <- NULL
say <- function(set, what, at, value) out <<- rbind(out, data.frame(set = set, what = what, at = sprintf("%.15g", at), value = sprintf("%.15g", value)))
statistic <- function(x, high) { s <- survdiff(Surv(days, event) ~ high, x); v <- s$chisq; if (is.nan(v) || s$var[1, 1] < 1e-12) NA else v }
for (set in unique(d$set)) {
  whole <- na.omit(d[d$set == set, ]); n <- nrow(whole); x <- whole[order(whole$value), ]
  high <- x$value >= median(x$value)
  if (any(high) && !all(high)) { s <- survdiff(Surv(days, event) ~ high, x); say(set, "chi2", 0, s$chisq); say(set, "p", 0, 1 - pchisq(s$chisq, 1)) }
  cuts <- sort(unique(x$value))[-1]; low <- sapply(cuts, function(c) sum(x$value < c))
  fits <- low >= ceiling(.1 * n) & n - low >= ceiling(.1 * n); cuts <- cuts[fits]
  scan <- function(y) sapply(cuts, function(c) statistic(y, x$value >= c))
  here <- scan(x); for (i in seq_along(cuts)) say(set, "scan", cuts[i], here[i])
  mine <- t(replicate(49, sample(n) - 1)); orders <- rbind(orders, data.frame(set = set, order = apply(mine, 1, paste, collapse = " ")))
  there <- apply(mine, 1, function(o) { y <- whole[o + 1, ]; y$value <- x$value; max(scan(y), na.rm = TRUE) })
  say(set, "p_permutation", nrow(mine), (1 + sum(there >= max(here, na.rm = TRUE) - 1e-12)) / (1 + nrow(mine)))
}
write.csv(orders, "logrank_orders.csv", row.names = FALSE, quote = FALSE)
write.csv(out, "logrank_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("survival", said))], "logrank_session.txt")
