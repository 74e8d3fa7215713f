"""Rooms: reverberation by image sources and by measured responses."""
