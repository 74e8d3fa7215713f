"""In-the-Wild: recordings of politicians and celebrities, and deepfakes of them, from the web."""
