"""A countermeasure that hears how something is said: melody, steadiness of the voice, loudness."""
