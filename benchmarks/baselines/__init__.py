"""The same graph in the workflow systems that we are compared with."""
