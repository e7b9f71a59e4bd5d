# How nested_r.csv was made: Rscript nested.R in this folder, on cox_input.csv (see nested_session.txt): anova of two Cox models,
# without a term and with it. Under separation coxph stops where the log-likelihood, which is bounded, rises no more: its limit.
library(survival); options(warn = -1)
d <- read.csv("cox_input.csv"); out <- NULL; strict <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)
for (set in c("plain", "ties", "zeros", "missing", "empty", "onesided", "few", "small")) for (term in c("a", "c")) {
  x <- na.omit(d[d$set == set, ]); others <- setdiff(c("a", "b", "c"), term)
  of <- function(terms) coxph(reformulate(terms, "Surv(days, event)"), x, ties = "efron", control = strict)
  without <- of(others); with <- of(c(term, others)); a <- anova(without, with)
  out <- rbind(out, data.frame(set = set, term = term, without = sprintf("%.15g", without$loglik[2]), with_term = sprintf("%.15g", with$loglik[2]),
                               chi2 = sprintf("%.15g", a[2, "Chisq"]), degrees = a[2, "Df"], p = sprintf("%.15g", a[2, ncol(a)])))
}
write.csv(out, "nested_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("survival", said))], "nested_session.txt")
