"""Layers that the models of several plugins share."""
