"""The shop's styles: which cuts there are and which numbers each may have."""
