# How curves_r.csv was made: Rscript curves.R in this folder, on cox_input.csv (versions: cox_session.txt). Groups are by c.
library(survival)
d <- read.csv("cox_input.csv"); out <- NULL
say <- function(set, group, what, at, value) out <<- rbind(out, data.frame(set = set, group = group, what = what, at = at, value = sprintf("%.17g", value)))
hand <- data.frame(set = "hand", days = c(10 * 1:10, 10, 20, 30, 40), event = c(rep(1, 10), 1, 1, 0, 1), a = NA, b = NA, c = rep(1:0, c(10, 4)))
all <- data.frame(set = "alive", days = c(5, 9, 9, 30), event = c(0, 0, 0, 1), a = NA, b = NA, c = c(0, 0, 1, 1))
d <- rbind(d, hand, all); write.csv(rbind(hand, all), "curves_hand.csv", row.names = FALSE, quote = FALSE)
for (set in c("plain", "ties", "zeros", "missing", "few", "small", "hand", "alive", "onesided", "empty")) {
  x <- d[d$set == set & !is.na(d$c), ]
  until <- min(tapply(x$days, x$c, max)); means <- NULL
  for (g in sort(unique(x$c))) {
    f <- survfit(Surv(days, event) ~ 1, x[x$c == g, ], conf.type = "log-log")
    for (i in seq_along(f$time)) {
      say(set, g, "survival", f$time[i], f$surv[i]); say(set, g, "lower", f$time[i], f$lower[i]); say(set, g, "upper", f$time[i], f$upper[i])
    }
    t <- summary(f, rmean = until)$table
    say(set, g, "median", 0, t["median"]); say(set, g, "median_lower", 0, t["0.95LCL"]); say(set, g, "median_upper", 0, t["0.95UCL"])
    say(set, g, "mean", until, t["rmean"]); say(set, g, "mean_error", until, t["se(rmean)"])
  }
  if (length(unique(x$days[x$event == 1])) > 1 && length(unique(x$c)) > 1) say(set, "both", "logrank", 0, survdiff(Surv(days, event) ~ c, x)$chisq)
}
write.csv(out, "curves_r.csv", row.names = FALSE, quote = FALSE)
