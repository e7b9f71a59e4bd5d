"""What is due, what a rebuild makes, why, and what it is known by."""
