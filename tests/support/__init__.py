"""What tests, trials and benchmarks share: tiny studies, toys, servers, made changes, and what must be true of them."""
