# the columns of ratios.csv by their names; patient_id has no comma
factor=$(sed -n 's/^"factor",//p' parameters.csv)
awk -F, -v factor="$factor" '
NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "patient_id,mean,n,is_high,note"; next }
$(at["\"value\""]) != "NA" { sum[$(at["\"patient_id\""])] += $(at["\"value\""]); n[$(at["\"patient_id\""])]++ }
END { for (p in sum) printf "%s,%.17g,%d,%s,NA\n", p, factor * sum[p] / n[p], n[p], (sum[p] > 0 ? "TRUE" : "FALSE") }
' ratios.csv > result.csv
