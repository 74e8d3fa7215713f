"""Pictures of scores, for screens and print: DET curves, histograms, reliability.

Each module has a `figure_of` that returns a matplotlib figure and writes nothing; `style.save`
writes it. matplotlib is the extra ``spoofbench[plots]``, loaded when a figure is asked for.
"""
