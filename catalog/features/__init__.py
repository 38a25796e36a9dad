"""What is computed from pixels by models, and how rows of it are kept, routed and ranked."""
