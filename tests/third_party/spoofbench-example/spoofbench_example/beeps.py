"""A corpus that is generated: tones for bona fide, noise for spoofs."""

import numpy as np
import soundfile

RATE = 16_000
PARTS = ("train", "dev", "eval")
EACH = 8


def build(folder, progress):
    """Write ``EACH`` tones and ``EACH`` noises for each part, and its CSV file."""
    random = np.random.default_rng(11)
    time = np.arange(RATE // 4) / RATE
    for place, part in enumerate(PARTS):
        (folder / part).mkdir()
        lines = ["path,key"]
        for number in range(EACH):
            tone = 0.3 * np.sin(2 * np.pi * random.uniform(100, 900) * time)
            noise = 0.1 * random.standard_normal(len(time))
            for key, audio in (("bonafide", tone + noise / 30), ("spoof", noise)):
                path = f"{part}/{part}-{key}-{number}.flac"
                soundfile.write(folder / path, audio, RATE)
                lines.append(f"{path},{key}")
        (folder / f"{part}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        progress(place + 1, len(PARTS))
