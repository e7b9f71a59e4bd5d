source("tshdb.R")
expression <- tshdb_read("expression")
markers <- tshdb_read("markers")
profiles <- setdiff(names(expression), "gene_id")
rows <- list()
for (population in unique(markers$population)) {
  genes <- markers$marker[markers$population == population]
  values <- log2(as.matrix(expression[expression$gene_id %in% genes, profiles, drop = FALSE]) + 1)
  rows[[population]] <- data.frame(profile_id = profiles, population = population,
                                   abundance = colMeans(values, na.rm = TRUE))
}
tshdb_write(do.call(rbind, rows))
