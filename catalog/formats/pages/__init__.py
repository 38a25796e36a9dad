"""Product pages as shops publish them: what a page says of its products, read without a network."""
