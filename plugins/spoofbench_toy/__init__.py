"""The corpus ``toy``: talkers made of formulas, attacks of graded difficulty. No human speech."""
