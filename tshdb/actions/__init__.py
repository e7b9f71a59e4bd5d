"""What a user does with a study, each a function: make, load, plan, rebuild, freeze, check, withdraw.

Commands and notebooks call the same functions. They take a study and typed arguments, and give typed objects; nothing here
prints. What is not the core's (analyses, readers, migrations) is found by entry points: tshdb/installed.py.
"""
