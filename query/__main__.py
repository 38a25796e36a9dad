"""`python -m query search PHOTO`: the engine without the rest of Lookbook."""

from query.cli import main

main()
