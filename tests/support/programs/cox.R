# One Cox model a population. Fewer than min_events events: no estimate.
library(survival)
source("tshdb.R")
given <- read.csv("parameters.csv", colClasses = "character")
of <- function(name) given$value[given$name == name]

follow_ups <- tshdb_read("follow_ups")
known <- follow_ups[follow_ups$endpoint == of("endpoint") & !is.na(follow_ups$event) & !is.na(follow_ups$duration_days), ]
most <- as.numeric(of("censor_at_days"))
known$event <- known$event & known$duration_days <= most
known$duration_days <- pmin(known$duration_days, most)

ratios <- tshdb_read("ratios")
ratios <- ratios[!is.na(ratios$value), ]
one <- function(population) {
  data <- merge(ratios[ratios$population == population, c("patient_id", "value")], known, by = "patient_id")
  row <- data.frame(population = population, coefficient = NA_real_, standard_error = NA_real_, p_value = NA_real_,
                    n = nrow(data), n_events = sum(data$event))
  if (row$n_events < as.numeric(of("min_events"))) return(row)
  fit <- summary(coxph(Surv(duration_days, event) ~ value, data, ties = "efron",
                       control = coxph.control(eps = 1e-12, iter.max = 50)))$coefficients
  row[c("coefficient", "standard_error", "p_value")] <- fit[1, c("coef", "se(coef)", "Pr(>|z|)")]
  row
}
tshdb_write(do.call(rbind, lapply(sort(unique(ratios$population)), one)))
