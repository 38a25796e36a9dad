"""Dagster assets, a module a stage; each reads, calls one pure function of `catalog`, writes and reports."""
