# How table2_r_survival.csv was made: R 4.2.2, survival 3.5-3, on table2_cox_input.csv.gz (unpacked).
library(survival)
d <- read.csv("table2_cox_input.csv")
cat("population,coefficient,standard_error,hazard_ratio,ci_lower,ci_upper,wald,p_value,p_adjusted,n,n_events\n")
out <- list()
for (p in unique(d$population)) {
  x <- d[d$population == p, ]
  f <- coxph(Surv(duration, event) ~ value, data = x, ties = "efron", control=coxph.control(eps=1e-13, toler.chol=1e-14, iter.max=100))
  s <- summary(f)
  out[[p]] <- c(s$coef[1,"coef"], s$coef[1,"se(coef)"], s$conf.int[1,"exp(coef)"], s$conf.int[1,"lower .95"], s$conf.int[1,"upper .95"], s$coef[1,"z"]^2, s$coef[1,"Pr(>|z|)"], f$n, f$nevent)
}
m <- do.call(rbind, out); adj <- p.adjust(m[,7], "BH")
for (i in seq_len(nrow(m))) cat(sprintf("%s,%s,%.15g,%d,%d\n", rownames(m)[i], paste(sprintf("%.15g", m[i,1:7]), collapse=","), adj[i], m[i,8], m[i,9]))
