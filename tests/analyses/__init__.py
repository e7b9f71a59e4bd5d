"""The paper's analyses against other programs and published numbers, and the layers between them."""
