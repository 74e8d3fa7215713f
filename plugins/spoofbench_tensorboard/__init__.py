"""TensorBoard as a place to log trainings."""
