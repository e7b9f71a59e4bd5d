# How quantiles_input.csv and quantiles_r.csv were made: Rscript quantiles.R in this folder (see quantiles_session.txt).
library(survival); set.seed(33)
make <- function(set, n, days, limit, digits = 0) {
  t <- round(rexp(n, 1 / days), digits); c <- round(runif(n, 0, limit), digits)
  data.frame(set = set, days = pmin(t, c), event = as.integer(t <= c))
}
one <- function(set, days, event) data.frame(set = set, days = days, event = event)
sets <- list(make("plain", 80, 900, 3000, 3), make("ties", 90, 6, 15), make("zeros", 60, 2, 5), make("few events", 40, 9000, 3000),
             one("all censored", c(10, 20, 20, 35), 0), one("one dies", 400, 1), one("one is censored", 400, 0), one("dies on day 0", c(0, 5), 1),
             one("level at a half", 10 * 1:10, 1), one("ends level at a half", c(10, 50), c(1, 0)),
             one("ends level at a half later", c(10, 20, 30, 90), c(1, 1, 0, 0)), one("level at each quarter", 10 * 1:4, 1),
             one("ends level at three quarters", c(10, 20, 30, 70), c(1, 0, 0, 0)), one("all on one day", rep(400, 6), 1))
gone <- make("missing", 30, 500, 900); gone[c(2, 11), "days"] <- NA; gone[c(11, 25), "event"] <- NA
sets <- c(sets, list(gone))
write.csv(do.call(rbind, sets), "quantiles_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("quantiles_input.csv"); out <- NULL
for (s in unique(d$set)) {
  q <- quantile(survfit(Surv(days, event) ~ 1, d[d$set == s, ], conf.type = "log-log"), c(.25, .5, .75))
  out <- rbind(out, data.frame(set = s, percent = c(25, 50, 75), days = q$quantile, lower = q$lower, upper = q$upper))
}
for (name in c("days", "lower", "upper")) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "quantiles_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("survival", said))], "quantiles_session.txt")
