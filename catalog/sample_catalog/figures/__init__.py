"""Who or what wears the clothes; never part of a mask."""
