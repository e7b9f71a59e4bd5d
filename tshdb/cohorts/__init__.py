"""Cohorts: defined by ordered steps of SQL, live until a version is frozen; versions are immutable.

steps        a cohort's file: its steps, and the cohorts that it must not share a patient with
guarded      a step's SQL on SQLite, under an authorizer
evaluation   the members that the steps give now, and how they came about
versions     define, freeze, commit a live cohort; what a version holds, how two differ
states       every cohort as the planner sees it
"""
