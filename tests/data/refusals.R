# How refusals_input.csv, refusals_r.csv and refusals_session.txt were made: Rscript refusals.R in this folder.
# What R says where there is little or nothing to say: a number, NA, NaN, Inf, or the words with which it stops.
suppressMessages({library(survival); library(cmprsk); library(pROC)}); options(warn = -1)
one <- function(set, days, event, x, group) data.frame(set = set, days = days, event = event, x = x, group = group)
sets <- list(one("nobody dies", c(3, 5, 5, 9, 12, 14), 0, c(.2, .9, .4, .4, .7, .1), rep(c("a", "b"), 3)), one("one patient", 7, 1, .3, "a"),
             one("one patient, censored", 7, 0, .3, "a"), one("all on one day", 400, 1, c(.2, .9, .4, .4, .7, .1), rep(c("a", "b"), 3)),
             one("one group is empty", c(3, 5, 5, 9, 12, 14), c(1, 0, 1, 1, 0, 1), c(.2, .9, .4, .4, .7, .1), "a"),
             one("two patients", c(4, 9), 1, c(.3, .8), c("a", "b")), one("constant", c(3, 5, 5, 9, 12, 14), c(1, 0, 1, 1, 0, 1), .5, rep(c("a", "b"), 3)),
             one("who dies is alone at risk", c(2, 3, 9), c(0, 0, 1), c(.1, .5, .2), c("a", "a", "b")),
             one("separation", c(1, 2, 3, 8, 9, 10), c(1, 1, 1, 0, 0, 0), c(.9, .8, .7, .3, .2, .1), rep(c("a", "b"), each = 3)),
             one("all on day 0", 0, 1, c(.2, .9, .4, .7), c("a", "b", "a", "b")))
write.csv(do.call(rbind, sets), "refusals_input.csv", row.names = FALSE, quote = TRUE)
d <- read.csv("refusals_input.csv"); out <- NULL
say <- function(set, what, value) {
  said <- tryCatch({ v <- value; if (length(v)) sprintf("%.15g", v[[1]]) else "nothing" }, error = function(e) paste("stops:", strsplit(conditionMessage(e), "\n")[[1]][1]))
  out <<- rbind(out, data.frame(set = set, what = what, said = said))
}
for (set in unique(d$set)) {
  x <- d[d$set == set, ]; y <- Surv(x$days, x$event); is_a <- x$group == "a"
  say(set, "survdiff", survdiff(y ~ x$group)$chisq)
  say(set, "coxph", { m <- coxph(y ~ x$x, ties = "efron"); if (is.na(coef(m)) || sqrt(m$var[1]) > 100) NA else coef(m) })  # a huge error: no estimate
  say(set, "cox.zph", cox.zph(coxph(y ~ x$x, ties = "efron"), "km")$table["GLOBAL", "p"])
  say(set, "concordance", concordance(y ~ x$x, reverse = TRUE)$concordance)
  say(set, "cuminc", { f <- cuminc(x$days, x$event); if (is.null(f[["1 1"]])) NA else tail(f[["1 1"]]$est, 1) })
  say(set, "gray", { t <- cuminc(x$days, x$event, x$group)$Tests; if (is.null(t)) stop("no test") else t[1, "stat"] })
  f <- survfit(y ~ 1, conf.type = "log-log")
  say(set, "median", quantile(f, .5)$quantile); say(set, "median lower", quantile(f, .5)$lower); say(set, "median upper", quantile(f, .5)$upper)
  say(set, "rmean", summary(f, rmean = max(x$days))$table["rmean"])
  say(set, "maxstat", { v <- sort(unique(x$x))[-1]; s <- sapply(v, function(c) survdiff(y ~ I(x$x >= c))$chisq); max(s[is.finite(s)]) })
  # the groups as classes, x as a score
  say(set, "auc", auc(roc(is_a, x$x, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)))
  say(set, "auc lower", { ci <- ci.auc(roc(is_a, x$x, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE), method = "delong"); if (ci[1] == ci[3]) NA else ci[1] })
  say(set, "glm", { if (length(unique(is_a)) < 2) stop("one class"); g <- glm(is_a ~ qlogis(x$x), binomial); if (g$boundary || !g$converged || any(fitted(g) < 1e-8)) NA else coef(g)[2] })
  say(set, "wilcox.test, paired", wilcox.test(x$x, x$x + 0 * x$days, paired = TRUE)$p.value)
  say(set, "wilcox.test", wilcox.test(x$x[is_a], x$x[!is_a], exact = FALSE)$p.value)
  say(set, "cor.test", cor.test(x$x, x$days)$estimate)
}
write.csv(out, "refusals_r.csv", row.names = FALSE)
said <- capture.output(sessionInfo()); writeLines(c(said[1:3], trimws(grep("cmprsk|survival|pROC", said, value = TRUE))), "refusals_session.txt")
