"""``python -m spoofbench``, which is also what torchrun starts."""

from spoofbench.cli import main

main()
