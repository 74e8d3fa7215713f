"""A countermeasure that is several: their scores are added up with weights that are learned."""
