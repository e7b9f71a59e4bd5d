# How expression_half_r.csv was made: R 4.2.2, survival 3.5-3, on expression_half_input.csv.gz (unpacked):
# the real pairs of women with their abundances, ratios and outcomes; days are censored at 3652.5.
library(survival)
d <- read.csv("expression_half_input.csv")
put <- function(...) cat(paste(..., sep = ","), "\n", sep = "")
num <- function(x) sprintf("%.15g", x)
put("what", "of", "value")
strict <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
pops <- c("Cytotoxic lymphocytes", "T cells", "NK cells", "Neutrophils", "Fibroblasts")
for (p in pops) {
  x <- d[d$population == p, ]
  high <- x$value >= median(x$value)
  l <- survdiff(Surv(days, event) ~ high, data = x)
  put("logrank", p, num(l$chisq))
  w <- wilcox.test(x$tumor, x$stroma, paired = TRUE)
  put("wilcoxon_v", p, num(w$statistic)); put("wilcoxon_p", p, num(w$p.value))
  few <- x[1:20, ]
  w <- wilcox.test(few$tumor, few$stroma, paired = TRUE)
  put("wilcoxon20_v", p, num(w$statistic)); put("wilcoxon20_p", p, num(w$p.value))
  r <- cor.test(x$tumor, x$stroma)
  put("correlation", p, num(r$estimate)); put("correlation_p", p, num(r$p.value))
  m <- coxph(Surv(days, event) ~ value + age, data = x, ties = "efron", control = strict)
  s <- summary(m)
  put("cox_value", p, num(s$coef["value", "coef"])); put("cox_value_se", p, num(s$coef["value", "se(coef)"]))
  put("cox_age", p, num(s$coef["age", "coef"])); put("cox_value_p", p, num(s$coef["value", "Pr(>|z|)"]))
  put("cox_loglik", p, num(m$loglik[2]))
  z <- cox.zph(m, transform = "rank")
}
x <- d[d$population == "Cytotoxic lymphocytes", ]
x$group <- ifelse(x$value >= median(x$value), "good", "poor")
k <- summary(survfit(Surv(days, event) ~ group, data = x, conf.type = "log-log"), times = c(365, 1000, 2000, 3000), extend = TRUE)
for (i in seq_along(k$time)) {
  of <- paste(sub("group=", "", k$strata[i]), k$time[i])
  put("km", of, num(k$surv[i])); put("km_lower", of, num(k$lower[i])); put("km_upper", of, num(k$upper[i]))
}
best <- 0
v <- sort(unique(x$value)); least <- ceiling(0.1 * nrow(x))
for (c in v[-1]) {
  low <- sum(x$value < c)
  if (low < least || nrow(x) - low < least) next
  s <- survdiff(Surv(days, event) ~ I(value >= c), data = x)$chisq
  if (s > best) { best <- s; at <- c }
}
put("maxstat_chi2", "Cytotoxic lymphocytes", num(best)); put("maxstat_cutoff", "Cytotoxic lymphocytes", num(at))
