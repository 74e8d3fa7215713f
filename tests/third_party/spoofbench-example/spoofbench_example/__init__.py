"""A spoofbench plugin as a stranger would write it."""
