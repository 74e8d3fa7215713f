"""Score files as programs in the wild write them."""
