"""The logistic model that predicts the group by TSH from tumour expression alone, its scores and how good they are."""
