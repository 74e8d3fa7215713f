"""The jobs behind ``run``, ``train``, ``robustness`` and ``audit``; each step once only.

A `job.Job` is what every step shares. Each step is a function of it, in a file of its own.
"""
