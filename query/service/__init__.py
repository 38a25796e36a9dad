"""The search as a service: the engine behind HTTP, for the page in `query/page` and for programs."""
