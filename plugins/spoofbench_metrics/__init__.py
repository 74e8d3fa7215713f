"""The metrics that come with spoofbench: the EER, accuracy there, min t-DCF 2019 and 2021."""
