"""The corpus ``mini``: real human speech against real synthesisers, built where it is used."""
