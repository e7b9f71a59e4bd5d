# How competing_risks_input.csv and competing_risks_r.csv were made: Rscript competing_risks.R in this folder (competing_risks_session.txt).
# cause: 0 censored, 1 the event, 2 another one first. what: incidence and var (at a time), gray, degrees, p.
library(cmprsk); library(survival); set.seed(34)
make <- function(set, n, days, limit, digits, second = 1, groups = 2) {
  g <- sample(groups, n, TRUE); t1 <- rexp(n, (1 + .7 * g) / days); t2 <- if (second > 0) rexp(n, second * (2.5 - .5 * g) / days) else rep(Inf, n); c <- runif(n, 0, limit)
  t <- round(pmin(t1, t2, c), digits)
  data.frame(set = set, days = t, cause = ifelse(c < pmin(t1, t2), 0, ifelse(t1 <= t2, 1, 2)), group = letters[g])
}
sets <- list(make("plain", 120, 2000, 3000, 3), make("ties", 150, 12, 20, 0), make("zeros", 80, 3, 6, 0), make("three groups", 150, 30, 40, 0, 1, 3),
             make("none competes", 100, 20, 30, 0, 0), make("few", 30, 4000, 3000, 0), make("most compete", 90, 20, 40, 0, 6),
             data.frame(set = "to the end", days = c(1:12, 3, 6, 6, 9, 12), cause = rep(c(1, 2, 1), length = 17), group = rep(c("a", "b"), length = 17)),
             data.frame(set = "one without the event", days = c(2, 3, 5, 7, 8, 1, 4, 6, 9), cause = c(1, 1, 0, 1, 0, 2, 0, 2, 0),
                        group = rep(c("a", "b"), c(5, 4))))
gone <- make("missing", 70, 15, 25, 0); gone[c(3, 40), "days"] <- NA; gone[c(8, 40), "cause"] <- NA; gone[55, "group"] <- NA
apart <- make("separation", 60, 12, 40, 0); apart[apart$cause == 1, "group"] <- "a"   # whoever has the event is of one group
alone <- make("one group is empty", 40, 12, 25, 0, 1, 1)
sets <- c(sets, list(gone, apart, alone))
write.csv(do.call(rbind, sets), "competing_risks_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("competing_risks_input.csv"); out <- NULL
say <- function(set, cause, group, what, at, value)
  out <<- rbind(out, data.frame(set = set, cause = cause, group = group, what = what, at = at, value = sprintf("%.15g", value)))
for (s in unique(d$set)) {
  x <- na.omit(d[d$set == s, ]); found <- cuminc(x$days, x$cause, x$group); times <- sort(unique(x$days))
  points <- timepoints(found[names(found) != "Tests"], times)
  for (name in rownames(points$est)) {
    of <- strsplit(name, " ")[[1]]; last <- max(x$days[x$group == of[1]]); at <- times[times <= last]
    say(s, of[2], of[1], "incidence", at, points$est[name, times <= last]); say(s, of[2], of[1], "var", at, points$var[name, times <= last])
  }
  for (cause in rownames(found$Tests)) {
    say(s, cause, "all", "gray", 0, found$Tests[cause, "stat"]); say(s, cause, "all", "degrees", 0, found$Tests[cause, "df"])
    say(s, cause, "all", "p", 0, found$Tests[cause, "pv"])
  }
}
write.csv(out, "competing_risks_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("cmprsk|survival", said))], "competing_risks_session.txt")
