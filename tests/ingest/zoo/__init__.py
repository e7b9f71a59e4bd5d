"""The zoo of own tables: small inputs that the program must refuse, flag or read rightly, by kind, each with its verdict."""
