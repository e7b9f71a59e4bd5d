"""Cohorts: defined by ordered steps of SQL, live until a version is frozen; versions are immutable.

steps        a cohort's file: its steps, and the cohorts that it must not share a patient with
reads        the tables that a step's SELECT reads, and what it must not ask
rows         one state of the study's database, by the caller's connection, and the versions of its tables
worker       the steps, answered in the sandbox of `tshdb sql` by one child process for all cohorts
remembered   what they gave, for as long as those tables stay as they are
evaluation   the members that the steps give now, and how they came about
versions     define, freeze, commit a live cohort; what a version holds, how two differ
states       every cohort as the planner sees it
former       how the database itself evaluated them, until revision 0014: for `tshdb migrate` alone
"""
