"""An augmentation: a change of level."""


class Gain:
    """Multiplies audio by ``10 ** (level / 20)``."""

    def apply(self, audio, level, context):
        """Return ``audio`` ``(time,)``, ``level`` dB louder."""
        del context
        return audio * 10 ** (level / 20)
