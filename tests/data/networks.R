# How networks_input.csv, networks_r.csv and networks_session.txt were made: Rscript networks.R in this folder.
# Values of eight populations in some patients: networks of correlations above a threshold, and what igraph says of their largest part.
suppressMessages(library(igraph)); options(warn = -1); set.seed(43)
make <- function(set, n, shared, digits = 6, threshold = .5) {
  z <- matrix(rnorm(2 * n), n); x <- matrix(rnorm(8 * n), n) + shared * cbind(z[, c(1, 1, 1, 1)], z[, c(2, 2, 2, 2)])
  data.frame(set = set, threshold = threshold, round(x, digits))
}
zeros <- make("zeros", 14, 1, 1); zeros[zeros$X3 < .4, "X3"] <- 0; zeros[zeros$X6 < .2, "X6"] <- 0
still <- make("does not vary", 15, 1.2); still$X2 <- 3
bridge <- make("a bridge", 25, 1.5); bridge$X4 <- round(rowMeans(bridge[c("X1", "X5")]) , 6)
two <- make("two parts", 40, 2.5, 6, .6); gone <- make("missing", 22, 1.2); gone[c(2, 11), "X4"] <- NA; gone[11, "X7"] <- NA
sets <- list(make("plain", 20, 1), make("ties", 18, 1, 0), zeros, still, bridge, two, gone, make("few", 5, .3), make("all linked", 12, .2, 6, -.99),
             make("a pair", 30, .9, 6, .6), make("sparse", 30, .75, 6, .42), make("empty", 10, 0, 6, .97))
pair <- sets[[10]]; sets[[10]][3:10] <- rnorm(240); sets[[10]]$X5 <- sets[[10]]$X2 + .1 * sets[[10]]$X3
sets[[10]][3:10] <- round(sets[[10]][3:10], 6)
write.csv(do.call(rbind, sets), "networks_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("networks_input.csv"); out <- NULL
say <- function(set, what, value) out <<- rbind(out, data.frame(set = set, what = what, value = sprintf("%.15g", value)))
for (set in unique(d$set)) {
  x <- na.omit(d[d$set == set, ]); linked <- cor(x[paste0("X", 1:8)]) > x$threshold[1]; linked[is.na(linked)] <- FALSE; diag(linked) <- FALSE
  all <- graph_from_adjacency_matrix(linked, "undirected"); whole <- delete_vertices(all, degree(all) == 0)
  if (!vcount(whole)) {
    say(set, "n_nodes", 0); say(set, "n_edges", ecount(whole)); say(set, "n_components", components(whole)$no); say(set, "characteristic_path_length", mean_distance(whole)); next
  }
  parts <- components(whole); g <- induced_subgraph(whole, which(parts$membership == which.max(parts$csize))); k <- degree(g)
  say(set, "n_nodes", vcount(whole)); say(set, "n_edges", ecount(whole)); say(set, "n_components", parts$no)
  say(set, "average_neighbors", mean(k)); say(set, "density", edge_density(g)); say(set, "diameter", diameter(g)); say(set, "radius", radius(g))
  say(set, "centralization", if (vcount(g) > 2) centr_degree(g, loops = FALSE)$centralization else 0)
  say(set, "heterogeneity", sqrt(mean((k - mean(k))^2)) / mean(k)); say(set, "characteristic_path_length", mean_distance(g))
  say(set, "clustering_coefficient", transitivity(g, "localaverage", isolates = "zero"))
}
write.csv(out, "networks_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("igraph", said))], "networks_session.txt")
